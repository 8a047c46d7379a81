// SPDX-License-Identifier: PostgreSQL
#include "receive/request.hpp"

#include <algorithm>
#include <charconv>

namespace crm_bridge::worker {
namespace {

constexpr std::size_t longest_chunk_line = 256;
constexpr int most_headers = 100;

bool is_token(std::string_view text) {
  constexpr std::string_view others = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           others.find(c) != std::string_view::npos;
  });
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c); });
  return result;
}

template <int base>
bool parse_size(std::string_view text, std::size_t &value) {
  // Longer numbers are nonsense, and could wrap around.
  if (text.empty() || text.size() > 15) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return error == std::errc{} && end == text.data() + text.size();
}

}  // namespace

void RequestReader::feed(std::string_view bytes) {
  buffer_ += bytes;
  go_on();
}

void RequestReader::next() {
  state_ = State::head;
  refused_ = 0;
  method_.clear();
  target_.clear();
  body_.clear();
  length_ = 0;
  has_length_ = chunked_ = expects_ = false;
  keep_alive_ = true;
  go_on();
}

bool RequestReader::take_expectation() {
  const bool expected = expects_ && (state_ == State::body || state_ == State::chunk_size);
  if (expected) expects_ = false;
  return expected;
}

bool RequestReader::refuse(int status) {
  refused_ = status;
  return false;
}

void RequestReader::go_on() {
  bool moved = true;
  while (moved && refused_ == 0) {
    switch (state_) {
      case State::head:
        moved = read_head();
        break;
      case State::body:
      case State::chunk: {
        const std::size_t count = std::min(length_, buffer_.size());
        body_.append(buffer_, 0, count);
        buffer_.erase(0, count);
        length_ -= count;
        moved = length_ == 0;
        if (moved) state_ = state_ == State::body ? State::complete : State::chunk_end;
        break;
      }
      case State::chunk_size:
        moved = read_chunk_size();
        break;
      case State::chunk_end:
        moved = buffer_.size() >= 2;
        if (!moved) break;
        if (!buffer_.starts_with("\r\n")) {
          refuse(400);
          break;
        }
        buffer_.erase(0, 2);
        state_ = State::chunk_size;
        break;
      case State::trailer:
        moved = read_trailer();
        break;
      case State::complete:
        return;
    }
  }
}

bool RequestReader::read_head() {
  const std::size_t end = buffer_.find("\r\n\r\n");
  if (end == std::string::npos || end > largest_head)
    return buffer_.size() > largest_head ? refuse(431) : false;
  std::string_view head = std::string_view(buffer_).substr(0, end + 2);
  const std::string_view line = head.substr(0, head.find("\r\n"));
  head.remove_prefix(line.size() + 2);
  const std::size_t first = line.find(' ');
  const std::size_t second = line.find(' ', std::min(line.size(), first + 1));
  if (second == std::string_view::npos || !is_token(line.substr(0, first))) return refuse(400);
  method_ = line.substr(0, first);
  target_ = line.substr(first + 1, second - first - 1);
  const std::string_view version = line.substr(second + 1);
  const bool printable =
      std::all_of(target_.begin(), target_.end(), [](char c) { return c > ' ' && c < 0x7f; });
  if (!target_.starts_with('/') || !printable) return refuse(400);
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return refuse(505);
  keep_alive_ = version == "HTTP/1.1";
  for (int count = 0; !head.empty(); ++count) {
    if (count == most_headers) return refuse(431);
    const std::string_view header = head.substr(0, head.find("\r\n"));
    head.remove_prefix(header.size() + 2);
    if (!read_header(header)) return false;
  }
  if (chunked_ && has_length_) return refuse(400);
  if (length_ > largest_body) return refuse(413);
  buffer_.erase(0, end + 4);
  state_ = chunked_ ? State::chunk_size : State::body;
  return true;
}

bool RequestReader::read_header(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return refuse(400);
  const std::string name = lower(line.substr(0, colon));
  std::string_view value = line.substr(colon + 1);
  value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
  value.remove_suffix(value.size() - (value.find_last_not_of(" \t") + 1));
  // A line feed or return here would be the end of the line for some readers.
  if (value.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos)
    return refuse(400);
  if (name == "content-length") {
    const bool digits = value.find_first_not_of("0123456789") == std::string_view::npos;
    if (has_length_ || !digits) return refuse(400);
    if (!parse_size<10>(value, length_)) return refuse(value.empty() ? 400 : 413);
    has_length_ = true;
  } else if (name == "transfer-encoding") {
    if (chunked_ || lower(value) != "chunked") return refuse(501);
    chunked_ = true;
  } else if (name == "connection") {
    const std::string wish = lower(value);
    if (wish == "close") keep_alive_ = false;
  } else if (name == "expect") {
    if (lower(value) != "100-continue") return refuse(417);
    expects_ = true;
  }
  return true;
}

bool RequestReader::read_chunk_size() {
  const std::size_t end = buffer_.find("\r\n");
  if (end == std::string::npos || end > longest_chunk_line)
    return buffer_.size() > longest_chunk_line ? refuse(400) : false;
  const std::string_view line = std::string_view(buffer_).substr(0, end);
  const std::string_view digits = line.substr(0, std::min(line.find(';'), line.size()));
  if (!parse_size<16>(digits, length_)) return refuse(400);
  if (length_ > largest_body - body_.size()) return refuse(413);
  buffer_.erase(0, end + 2);
  state_ = length_ == 0 ? State::trailer : State::chunk;
  return true;
}

bool RequestReader::read_trailer() {
  const std::size_t end = buffer_.find("\r\n");
  if (end == std::string::npos || end > largest_head)
    return buffer_.size() > largest_head ? refuse(431) : false;
  buffer_.erase(0, end + 2);
  // What stands in trailers is of no account; their number is bounded by the time a request has.
  if (end == 0) state_ = State::complete;
  return true;
}

}  // namespace crm_bridge::worker
