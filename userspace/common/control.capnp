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
    error @2 :Data;      # text for the log; "err-not-found" if a key is absent
    entries @3 :List(Entry);  # answers to list and watch only
  }
  revision @4 :UInt64;
  more @5 :Bool;         # further responses under this id follow
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
