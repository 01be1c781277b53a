# SPDX-License-Identifier: Apache-2.0
# The control protocol between a calf (requests) and its gateway (responses):
# unpacked stream framing, frames back to back on descriptor 4 of the calf.
# Members, tags and slots never change; new ones are only added at the end.
@0x9e83562906de8259;

struct Request {
  id @0 :Int32;          # copied into the response
  path @1 :List(Text);   # segments without slashes; null for commit
  union {
    write @2 :Data;
    read @3 :Void;
    delete @4 :Void;
    list @5 :Void;       # paths and revisions at and below the path, in pages
    watch @6 :Void;      # what is there, "synced", then every change
    commit @7 :List(Change);  # all or nothing
  }
  revision @8 :UInt64;   # write, delete, commit: the expected one; list and
                         # watch: where to go on; 0 = none
}

struct Change {
  path @0 :List(Text);
  union {
    write @1 :Data;
    delete @2 :Void;
  }
}

# ok and error have one data word on the wire, whatever this schema makes of
# the struct, unless the request carried a revision.
struct Response {
  id @0 :Int32;
  union {
    ok @1 :Data;         # of a read: the value; else empty
    error @2 :Data;      # text for people and logs; programs read the code
    entries @3 :List(Entry);  # answers to list and watch only
  }
  revision @4 :UInt64;
  more @5 :Bool;         # further responses under this id follow
  code @6 :UInt8;        # error: the ordinal of a Code; else 0
}

# Why a request was refused. `code` is a UInt8, because one byte is what was
# left of the first data word; a schema enum takes two. Codes are only added at
# the end, and a client treats one that it does not know as `failed`.
enum Code {
  none @0;               # not an error; with one: the gateway is older than
                         # this table, treat it as `failed`
  failed @1;             # the store or the gateway failed; its log says more
  notFound @2;           # read: the key does not exist
  notAllowed @3;         # no such path for this calf, or no right to do this
  valueTooLarge @4;      # longer than this key may be
  wrongType @5;          # not of this key's type
  quotaExceeded @6;      # keys, bytes or requests per second: try again later
  conflict @7;           # the expected revision is not the key's: read again
  tryAgain @8;           # the store is busy
  tooManyChanges @9;     # in one commit
  tooManyWatches @10;    # on one connection
  unknownOperation @11;  # a union member that this gateway does not know
}

struct Entry {
  path @0 :List(Text);   # null for synced and resync
  revision @1 :UInt64;
  union {
    value @2 :Data;      # watch: the key is there, with this value
    deleted @3 :Void;    # watch: the key is gone
    listed @4 :Void;     # list: the key is there
    synced @5 :Void;     # watch: all that was there came before this
    resync @6 :Void;     # watch: events were lost; everything comes again, and
                         # what does not come before the next synced is gone
  }
}
