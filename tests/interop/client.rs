// SPDX-License-Identifier: Apache-2.0
// A client of the gateway written with the crate capnp (Rust), with segments
// as small as requested; it does the same as client.c++. Debian has no code
// generator for Rust, so the code that it would generate from control.capnp is
// written by hand, on the same layer of the crate. Requests without a revision
// and without new members are those of the schema of 2017: one data word.
use capnp::message::{AllocationStrategy, Builder, HeapAllocator, ReaderOptions};
use capnp::private::layout::{ElementSize, PointerBuilder, PointerReader};
use capnp::private::layout::{StructReader, StructSize};
use capnp::traits::{FromPointerBuilder, FromPointerReader};
use std::fs::File;
use std::io::{BufRead, Write};
use std::os::unix::io::FromRawFd;

const SOCKET: i32 = 4;

const WRITE: u16 = 0;
const READ: u16 = 1;
const DELETE: u16 = 2;
const LIST: u16 = 3;
const WATCH: u16 = 4;
const COMMIT: u16 = 5;

/// The pointer to the root, for any struct.
struct Root<'a>(PointerBuilder<'a>);

impl<'a> FromPointerBuilder<'a> for Root<'a> {
    fn init_pointer(builder: PointerBuilder<'a>, _length: u32) -> Self {
        Root(builder)
    }
    fn get_from_pointer(
        builder: PointerBuilder<'a>,
        _default: Option<&'a [capnp::Word]>,
    ) -> capnp::Result<Self> {
        Ok(Root(builder))
    }
}

struct Struct<'a>(StructReader<'a>);

impl<'a> FromPointerReader<'a> for Struct<'a> {
    fn get_from_pointer(
        reader: &PointerReader<'a>,
        default: Option<&'a [capnp::Word]>,
    ) -> capnp::Result<Self> {
        Ok(Struct(reader.get_struct(default)?))
    }
}

struct Client {
    segment_words: u32,
    growth: AllocationStrategy,
    bytes_a_write: usize,
    queue: Vec<u8>,
    socket: File,
}

/// Convert hex text to bytes; "-" is none, "*N" is N times 'v'.
fn unhex(hex: &str) -> Vec<u8> {
    if hex == "-" {
        return Vec::new();
    }
    if let Some(count) = hex.strip_prefix('*') {
        return vec![b'v'; count.parse().unwrap()];
    }
    (0..hex.len() / 2)
        .map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap())
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "-".to_string();
    }
    bytes.iter().map(|byte| format!("{:02x}", byte)).collect()
}

fn split_path(path: &str) -> Vec<&str> {
    if path == "-" {
        return Vec::new();
    }
    path.split('/').collect()
}

fn set_path(builder: PointerBuilder, path: &str) {
    let segments = split_path(path);
    let mut list = builder.init_list(ElementSize::Pointer, segments.len() as u32);
    for (i, segment) in segments.iter().enumerate() {
        list.reborrow().get_pointer_element(i as u32).set_text(segment);
    }
}

fn set_changes(builder: PointerBuilder, words: &mut std::str::SplitWhitespace) {
    let n: u32 = words.next().unwrap().parse().unwrap();
    let mut list = builder.init_struct_list(n, StructSize { data: 1, pointers: 2 });
    for i in 0..n {
        let verb = words.next().unwrap();
        let path = words.next().unwrap();
        let change = list.reborrow().get_struct_element(i);
        set_path(change.get_pointer_field(0), path);
        if verb == "write" {
            change.get_pointer_field(1).set_data(&unhex(words.next().unwrap()));
        } else {
            change.set_data_field::<u16>(0, 1);
        }
    }
}

impl Client {
    /// Append the frame of a request to the queue.
    fn add_request(&mut self, verb: &str, words: &mut std::str::SplitWhitespace) {
        let id: i32 = words.next().unwrap().parse().unwrap();
        let revision: u64 = words.next().unwrap().parse().unwrap();
        let path = words.next().unwrap();
        let tag = match verb {
            "write" => WRITE,
            "read" => READ,
            "delete" => DELETE,
            "list" => LIST,
            "watch" => WATCH,
            _ => COMMIT,
        };
        let is_new = revision != 0 || tag > DELETE;
        let mut message = Builder::new(
            HeapAllocator::new()
                .first_segment_words(self.segment_words)
                .allocation_strategy(self.growth),
        );
        {
            let root: Root = message.init_root();
            let size = StructSize { data: 1 + is_new as u16, pointers: 2 };
            let request = root.0.init_struct(size);
            request.set_data_field::<i32>(0, id);
            request.set_data_field::<u16>(2, tag);
            if is_new {
                request.set_data_field::<u64>(1, revision);
            }
            if tag != COMMIT {
                set_path(request.get_pointer_field(0), path);
            }
            if tag == WRITE {
                request.get_pointer_field(1).set_data(&unhex(words.next().unwrap()));
            } else if tag == COMMIT {
                set_changes(request.get_pointer_field(1), words);
            }
        }
        capnp::serialize::write_message(&mut self.queue, &message).unwrap();
        println!("segments {}", message.get_segments_for_output().len());
    }

    /// After the other end has closed, writing is pointless, but not an error.
    fn send_queue(&mut self) {
        let size = match self.bytes_a_write {
            0 => self.queue.len().max(1),
            size => size,
        };
        for chunk in self.queue.chunks(size) {
            if self.socket.write_all(chunk).is_err() {
                break;
            }
        }
        self.queue.clear();
    }

    fn expect(&mut self, n: u32) {
        for _ in 0..n {
            match capnp::serialize::read_message(&mut self.socket, ReaderOptions::new()) {
                Ok(message) => print_response(&message.get_root::<Struct>().unwrap().0),
                Err(_) => {
                    println!("closed");
                    return;
                }
            }
        }
    }
}

fn print_entry(entry: &StructReader) {
    let tag = entry.get_data_field::<u16>(4);
    let names = ["value", "deleted", "listed", "synced", "resync"];
    let list = entry
        .get_pointer_field(0)
        .get_list(ElementSize::Pointer, None)
        .unwrap();
    let segments: Vec<&str> = (0..list.len())
        .map(|i| list.get_pointer_element(i).get_text(None).unwrap())
        .collect();
    print!(" {}:{}", names.get(tag as usize).unwrap_or(&"unknown"), segments.join("/"));
    if tag == 0 {
        print!(":{}", hex(entry.get_pointer_field(1).get_data(None).unwrap()));
    }
}

fn print_response(response: &StructReader) {
    print!("{}", response.get_data_field::<i32>(0));
    match response.get_data_field::<u16>(2) {
        0 => print!(" ok {}", hex(response.get_pointer_field(0).get_data(None).unwrap())),
        1 => print!(
            " error {} {}",
            response.get_data_field::<u8>(7),
            String::from_utf8_lossy(response.get_pointer_field(0).get_data(None).unwrap())
        ),
        2 => {
            print!(" entries");
            let size = ElementSize::InlineComposite;
            let list = response.get_pointer_field(0).get_list(size, None).unwrap();
            for i in 0..list.len() {
                print_entry(&list.get_struct_element(i));
            }
        }
        tag => print!(" unknown {}", tag),
    }
    let revision = response.get_data_field::<u64>(1);
    if revision != 0 && response.get_data_field::<u16>(2) < 2 {
        print!(" @{}", revision);
    }
    if response.get_bool_field(48) {
        print!(" more");
    }
    println!();
}

fn main() {
    let mut client = Client {
        segment_words: 1024,
        growth: AllocationStrategy::GrowHeuristically,
        bytes_a_write: 0,
        queue: Vec::new(),
        socket: unsafe { File::from_raw_fd(SOCKET) },
    };
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let mut words = line.split_whitespace();
        match words.next().unwrap() {
            "segment" => {
                client.segment_words = words.next().unwrap().parse().unwrap();
                client.growth = match words.next() {
                    Some("fixed") => AllocationStrategy::FixedSize,
                    _ => AllocationStrategy::GrowHeuristically,
                };
            }
            "cut" => client.bytes_a_write = words.next().unwrap().parse().unwrap(),
            "send" => client.send_queue(),
            "expect" => client.expect(words.next().unwrap().parse().unwrap()),
            verb => client.add_request(verb, &mut words),
        }
    }
}
