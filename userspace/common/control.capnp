# SPDX-License-Identifier: Apache-2.0
# The control protocol between a calf (requests) and its gateway (responses):
# unpacked stream framing, frames back to back on descriptor 4 of the calf.
# Members, tags and slots never change; new ones are added at the end only.
@0x9e83562906de8259;

struct Request {
  id @0 :Int32;          # copied into the response
  path @1 :List(Text);   # segments without slashes; null for commit
  union {
    write @2 :Data;
    read @3 :Void;
    delete @4 :Void;
    list @5 :Void;       # paths and revisions at and below the path, in pages
    watch @6 :Void;      # all existing keys, "synced", then every change
    commit @7 :List(Change);  # all or nothing
  }
  revision @8 :UInt64;   # write, delete, commit: the expected one; list and
                         # watch: where to continue; 0 = none
}

struct Change {
  path @0 :List(Text);
  union {
    write @1 :Data;
    delete @2 :Void;
  }
}

# ok and error have only one data word on the wire, although the struct has two,
# unless the request had a revision.
struct Response {
  id @0 :Int32;
  union {
    ok @1 :Data;         # read: the value; otherwise empty
    error @2 :Data;      # text for people and logs; programs read the code
    entries @3 :List(Entry);  # responses to list and watch only
  }
  revision @4 :UInt64;
  more @5 :Bool;         # further responses under this id follow
  code @6 :UInt8;        # error: the ordinal of a Code; otherwise 0
}

# Why a request was refused. `code` is a UInt8, because only one byte of the
# first data word was unused; a schema enum takes two. Codes are added at the end
# only, and a client treats an unknown one as `failed`.
enum Code {
  none @0;               # not an error; in an error: the gateway is older than
                         # this table, treat it as `failed`
  failed @1;             # the store or the gateway failed; its log says more
  notFound @2;           # read: the key does not exist
  notAllowed @3;         # no such path for this calf, or no right to do this
  valueTooLarge @4;      # longer than this key may be
  wrongType @5;          # not of this key's type; of a read: what is stored
  quotaExceeded @6;      # keys, bytes, requests or bytes of audit per second: retry later
  conflict @7;           # the key does not have the expected revision: read again
  tryAgain @8;           # the store is busy
  tooManyChanges @9;     # in one commit
  tooManyWatches @10;    # on one connection
  unknownOperation @11;  # a union member that is unknown to this gateway
}

struct Entry {
  path @0 :List(Text);   # null for synced and resync
  revision @1 :UInt64;
  union {
    value @2 :Data;      # watch: the key exists, with this value
    deleted @3 :Void;    # watch: the key was deleted
    listed @4 :Void;     # list: the key exists
    synced @5 :Void;     # watch: all existing keys came before this
    resync @6 :Void;     # watch: events were lost. All existing keys are sent
                         # again; a key that is not sent before the next
                         # synced was deleted
  }
}
