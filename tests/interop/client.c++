// SPDX-License-Identifier: Apache-2.0
// A client of the gateway written with the reference library (C++), with
// segments as small as requested: commands on descriptor 0, the socket on 4,
// actions and responses on 1. tests/interop/README.md describes the commands;
// client.rs does the same in Rust.
#include <capnp/message.h>
#include <capnp/serialize.h>

#include <cstdlib>
#include <iostream>
#include <sstream>
#include <string>
#include <unistd.h>
#include <vector>

#include "control.capnp.h"

namespace {

constexpr int SOCKET = 4;

// Settings for the following messages
unsigned int segment_words = 1024;
bool is_fixed = false;
size_t bytes_a_write = 0;
std::string queue;

// Convert hex text to bytes; "-" is none, "*N" is N times 'v'
std::string unhex(const std::string &hex)
{
	std::string bytes;

	if (hex == "-")
		return bytes;
	if (hex[0] == '*')
		return std::string(std::stoul(hex.substr(1)), 'v');
	for (size_t i = 0; i + 1 < hex.size(); i += 2)
		bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
	return bytes;
}

std::string hex(capnp::Data::Reader bytes)
{
	static const char digits[] = "0123456789abcdef";
	std::string text;

	for (unsigned char byte : bytes) {
		text += digits[byte >> 4];
		text += digits[byte & 15];
	}
	return text.empty() ? "-" : text;
}

std::vector<std::string> split_path(const std::string &path)
{
	std::vector<std::string> segments;
	std::stringstream rest(path == "-" ? "" : path);
	std::string segment;

	while (std::getline(rest, segment, '/'))
		segments.push_back(segment);
	return segments;
}

template <typename Builder> void set_path(Builder &&builder, const std::string &path)
{
	auto segments = split_path(path);
	auto list = builder.initPath(static_cast<unsigned int>(segments.size()));

	for (unsigned int i = 0; i < segments.size(); i++)
		list.set(i, segments[i].c_str());
}

template <typename Builder> void set_value(Builder &&builder, const std::string &bytes)
{
	auto data = builder.initWrite(static_cast<unsigned int>(bytes.size()));

	std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char *>(data.begin()));
}

void set_changes(Request::Builder request, std::istream &words)
{
	unsigned int n;

	words >> n;
	auto changes = request.initCommit(n);
	for (unsigned int i = 0; i < n; i++) {
		std::string verb, path, value;

		words >> verb >> path;
		set_path(changes[i], path);
		if (verb == "write") {
			words >> value;
			set_value(changes[i], unhex(value));
		} else {
			changes[i].setDelete();
		}
	}
}

// Append the frame of a request to the queue
void add_request(const std::string &verb, std::istream &words)
{
	capnp::MallocMessageBuilder message(
		segment_words, is_fixed ? capnp::AllocationStrategy::FIXED_SIZE :
					  capnp::AllocationStrategy::GROW_HEURISTICALLY);
	auto request = message.initRoot<Request>();
	std::string path, value;
	long long id;
	unsigned long long revision;

	words >> id >> revision >> path;
	request.setId(static_cast<int32_t>(id));
	request.setRevision(revision);
	if (verb != "commit")
		set_path(request, path);
	if (verb == "write") {
		words >> value;
		set_value(request, unhex(value));
	} else if (verb == "read") {
		request.setRead();
	} else if (verb == "delete") {
		request.setDelete();
	} else if (verb == "list") {
		request.setList();
	} else if (verb == "watch") {
		request.setWatch();
	} else {
		set_changes(request, words);
	}
	auto frame = capnp::messageToFlatArray(message);
	auto bytes = frame.asBytes();
	queue.append(reinterpret_cast<const char *>(bytes.begin()), bytes.size());
	std::cout << "segments " << message.getSegmentsForOutput().size() << "\n";
}

// After the other end has closed, writing is pointless, but not an error
void send_queue()
{
	size_t at = 0;

	while (at < queue.size()) {
		size_t size = queue.size() - at;

		if (bytes_a_write > 0 && size > bytes_a_write)
			size = bytes_a_write;
		ssize_t n = write(SOCKET, queue.data() + at, size);
		if (n < 0)
			break;
		at += static_cast<size_t>(n);
	}
	queue.clear();
}

const char *entry_name(Entry::Reader entry)
{
	switch (entry.which()) {
	case Entry::VALUE:
		return "value";
	case Entry::DELETED:
		return "deleted";
	case Entry::LISTED:
		return "listed";
	case Entry::SYNCED:
		return "synced";
	case Entry::RESYNC:
		return "resync";
	}
	return "unknown";
}

void print_entry(Entry::Reader entry)
{
	bool is_first = true;

	std::cout << " " << entry_name(entry) << ":";
	for (auto segment : entry.getPath()) {
		std::cout << (is_first ? "" : "/") << segment.cStr();
		is_first = false;
	}
	if (entry.isValue())
		std::cout << ":" << hex(entry.getValue());
}

void print_response(Response::Reader response)
{
	std::cout << response.getId();
	switch (response.which()) {
	case Response::OK:
		std::cout << " ok " << hex(response.getOk());
		break;
	case Response::ERROR: {
		auto text = response.getError().asChars();
		std::cout << " error " << static_cast<unsigned int>(response.getCode()) << " "
			  << std::string(text.begin(), text.size());
		break;
	}
	case Response::ENTRIES:
		std::cout << " entries";
		for (auto entry : response.getEntries())
			print_entry(entry);
		break;
	}
	if (response.getRevision() != 0 && !response.isEntries())
		std::cout << " @" << response.getRevision();
	if (response.getMore())
		std::cout << " more";
	std::cout << "\n";
}

void expect(unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		try {
			capnp::StreamFdMessageReader reader(SOCKET);

			print_response(reader.getRoot<Response>());
		} catch (const kj::Exception &) {
			std::cout << "closed\n";
			return;
		}
	}
}

} // namespace

int main()
{
	std::string line;

	while (std::getline(std::cin, line)) {
		std::stringstream words(line);
		std::string verb, growth;
		unsigned int n;

		words >> verb;
		if (verb == "segment") {
			words >> segment_words >> growth;
			is_fixed = growth == "fixed";
		} else if (verb == "cut") {
			words >> bytes_a_write;
		} else if (verb == "send") {
			send_queue();
		} else if (verb == "expect") {
			words >> n;
			expect(n);
		} else {
			add_request(verb, words);
		}
	}
	return std::cout.flush() ? EXIT_SUCCESS : EXIT_FAILURE;
}
