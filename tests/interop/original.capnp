# SPDX-License-Identifier: Apache-2.0
# The control protocol as the original system had it, in 2017: what an old
# client or server is built with.
@0x9e83562906de8259;

struct Request {
  id @0 :Int32;
  path @1 :List(Text);
  union {
    write @2 :Data;
    read @3 :Void;
    delete @4 :Void;
  }
}

struct Response {
  id @0 :Int32;
  union {
    ok @1 :Data;
    error @2 :Data;
  }
}
