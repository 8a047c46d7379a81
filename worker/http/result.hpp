// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace crm_bridge::worker {

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::string> headers{};  // "Name: value"
  std::string body{};
  // Whether the transport may send it a second time by itself, on a connection that died before an
  // answer began. False where doing it twice makes two records.
  bool repeatable = true;
  std::chrono::milliseconds timeout{60000};
};

enum class Transport {
  answered,  // there is a status
  withheld,  // we did not try: no token, no budget left, a host that is not configured
  not_sent,  // nothing of it reached the service
  lost,      // it may have arrived; there is no whole answer
};

struct HttpResult {
  Transport transport = Transport::not_sent;
  int status = 0;
  std::string body{};
  std::map<std::string, std::string> headers{};  // names in lower case
  std::string error{};                           // for people; never holds a token
  std::chrono::milliseconds retry_after{0};  // with `withheld`: when it makes sense to ask again

  bool ok() const { return transport == Transport::answered && status >= 200 && status < 300; }
};

}  // namespace crm_bridge::worker
