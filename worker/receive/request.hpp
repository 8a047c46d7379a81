// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace crm_bridge::worker {

// Reads HTTP/1.1 requests from bytes as they come.  It takes what the services' proxies send and
// refuses whatever two readers could understand differently: two lengths, a length beside chunks,
// folded or odd header lines, bare line feeds.
class RequestReader {
 public:
  static constexpr std::size_t largest_head = 16U << 10;
  static constexpr std::size_t largest_body = 1U << 20;

  // More bytes.  Not to be called again before next() once complete() or refused().
  void feed(std::string_view bytes);

  bool complete() const { return state_ == State::complete; }
  // The status to refuse with, 0 for none.  The connection must be closed then.
  int refused() const { return refused_; }
  bool empty() const { return buffer_.empty() && state_ == State::head; }
  // Once: the client waits for "100 Continue" before it sends the body.
  bool take_expectation();

  const std::string &method() const { return method_; }
  const std::string &target() const { return target_; }
  const std::string &body() const { return body_; }
  bool keep_alive() const { return keep_alive_; }

  // Begins with the next request; what came of it already is kept.
  void next();

 private:
  enum class State { head, body, chunk_size, chunk, chunk_end, trailer, complete };
  void go_on();
  bool read_head();
  bool read_header(std::string_view line);
  bool read_chunk_size();
  bool read_trailer();
  bool refuse(int status);

  std::string buffer_;
  State state_ = State::head;
  int refused_ = 0;
  std::string method_;
  std::string target_;
  std::string body_;
  std::size_t length_ = 0;  // of the body, or of the chunk
  bool has_length_ = false;
  bool chunked_ = false;
  bool keep_alive_ = true;
  bool expects_ = false;
};

}  // namespace crm_bridge::worker
