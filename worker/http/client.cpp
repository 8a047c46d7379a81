// SPDX-License-Identifier: PostgreSQL
#include "http/client.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <stdexcept>

namespace crm_bridge::worker {
namespace {

constexpr std::size_t largest_answer = 16U << 20;
constexpr std::size_t largest_header = 64U << 10;
constexpr long connect_timeout_milliseconds = 10'000;
// A connection idle for longer is not used again: the service has probably closed it, and a request
// that meets a dead connection is in doubt.
constexpr long longest_idle_seconds = 30;

}  // namespace

void initialize_http_library() {
  static std::once_flag once;
  std::call_once(once, [] {
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
      throw std::runtime_error("could not initialize libcurl");
  });
}

// One request under way.  It lives in the frame of the coroutine that waits for it, so dropping the
// coroutine drops the request.
struct HttpClient::Transfer {
  HttpClient *client;
  HttpRequest request;
  HttpResult result{};
  CURL *handle = nullptr;
  curl_slist *headers = nullptr;
  std::size_t header_bytes = 0;
  std::size_t body_sent = 0;
  std::coroutine_handle<> waiter{};

  Transfer(HttpClient *owner, HttpRequest what) : client(owner), request(std::move(what)) {}
  Transfer(const Transfer &) = delete;
  Transfer &operator=(const Transfer &) = delete;
  ~Transfer() {
    if (handle != nullptr) {
      curl_multi_remove_handle(client->multi_, handle);
      client->running_.erase(handle);
      curl_easy_cleanup(handle);
    }
    curl_slist_free_all(headers);
  }

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> caller) {
    waiter = caller;
    client->begin(*this);
  }
  void await_resume() const noexcept {}

  static std::size_t on_body(char *data, std::size_t size, std::size_t count, void *self) {
    auto &body = static_cast<Transfer *>(self)->result.body;
    const std::size_t bytes = size * count;
    if (body.size() + bytes > largest_answer) return 0;
    body.append(data, bytes);
    return bytes;
  }
  static std::size_t on_header(char *data, std::size_t size, std::size_t count, void *self) {
    auto &transfer = *static_cast<Transfer *>(self);
    const std::size_t bytes = size * count;
    transfer.header_bytes += bytes;
    if (transfer.header_bytes > largest_header) return 0;
    const std::string_view line(data, bytes);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return bytes;
    std::string name(line.substr(0, colon));
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c); });
    std::string_view value = line.substr(colon + 1);
    value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
    value.remove_suffix(value.size() - (value.find_last_not_of(" \t\r\n") + 1));
    transfer.result.headers[name] = std::string(value);
    return bytes;
  }
  static std::size_t on_read(char *data, std::size_t size, std::size_t count, void *self) {
    auto &transfer = *static_cast<Transfer *>(self);
    const std::size_t bytes =
        std::min(size * count, transfer.request.body.size() - transfer.body_sent);
    std::memcpy(data, transfer.request.body.data() + transfer.body_sent, bytes);
    transfer.body_sent += bytes;
    return bytes;
  }
  static int on_seek(void *, curl_off_t, int) { return CURL_SEEKFUNC_FAIL; }
};

HttpClient::HttpClient(AllowedOrigins allowed) : allowed_(std::move(allowed)) {
  initialize_http_library();
  multi_ = curl_multi_init();
  if (multi_ == nullptr) throw std::bad_alloc{};
  curl_multi_setopt(multi_, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
}

HttpClient::~HttpClient() { curl_multi_cleanup(multi_); }

Task<HttpResult> HttpClient::send(HttpRequest request) {
  if (!allowed_.allows(request.url)) {
    HttpResult refused;
    refused.transport = Transport::withheld;
    refused.error = "the host is not one that the configuration names";
    co_return refused;
  }
  Transfer transfer(this, std::move(request));
  co_await transfer;
  co_return std::move(transfer.result);
}

Task<void> HttpClient::sleep(std::chrono::milliseconds duration) {
  struct Timer {
    HttpClient *client;
    Clock::time_point when;
    std::multimap<Clock::time_point, std::coroutine_handle<>>::iterator place{};
    bool waiting = false;
    Timer(HttpClient *owner, Clock::time_point at) : client(owner), when(at) {}
    Timer(const Timer &) = delete;
    Timer &operator=(const Timer &) = delete;
    ~Timer() {
      if (waiting) client->timers_.erase(place);
    }
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> caller) {
      place = client->timers_.emplace(when, caller);
      waiting = true;
    }
    void await_resume() {
      client->timers_.erase(place);
      waiting = false;
    }
  };
  Timer timer(this, Clock::now() + duration);
  co_await timer;
}

void HttpClient::begin(Transfer &transfer) {
  CURL *handle = curl_easy_init();
  if (handle == nullptr) throw std::bad_alloc{};
  transfer.handle = handle;
  running_[handle] = &transfer;
  const HttpRequest &request = transfer.request;
  for (const auto &header : request.headers) {
    transfer.headers = curl_slist_append(transfer.headers, header.c_str());
  }
  transfer.headers = curl_slist_append(transfer.headers, "Expect:");
  curl_easy_setopt(handle, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(handle, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(handle, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_TCP_NODELAY, 1L);
  curl_easy_setopt(handle, CURLOPT_MAXAGE_CONN, longest_idle_seconds);
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, connect_timeout_milliseconds);
  curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
  curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &Transfer::on_body);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, &Transfer::on_header);
  curl_easy_setopt(handle, CURLOPT_HEADERDATA, &transfer);
  if (!request.repeatable) {
    // libcurl sends a request again when a kept connection dies before the first byte of an answer.
    // A body that cannot be rewound keeps it from doing so.
    curl_easy_setopt(handle, CURLOPT_POST, 1L);
    curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(handle, CURLOPT_READFUNCTION, &Transfer::on_read);
    curl_easy_setopt(handle, CURLOPT_READDATA, &transfer);
    curl_easy_setopt(handle, CURLOPT_SEEKFUNCTION, &Transfer::on_seek);
  } else if (!request.body.empty() || request.method != "GET") {
    if (request.method != "DELETE" || !request.body.empty()) {
      curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE,
                       static_cast<curl_off_t>(request.body.size()));
      curl_easy_setopt(handle, CURLOPT_POSTFIELDS, request.body.c_str());
    }
  }
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, transfer.headers);
  if (curl_multi_add_handle(multi_, handle) != CURLM_OK) {
    transfer.result.error = "could not start the request";
    ready_.push_back(transfer.waiter);
  }
}

void HttpClient::finish(Transfer &transfer, int code) {
  HttpResult &result = transfer.result;
  long status = 0;
  long sent = 0;
  curl_easy_getinfo(transfer.handle, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(transfer.handle, CURLINFO_REQUEST_SIZE, &sent);
  result.status = static_cast<int>(status);
  if (code == CURLE_OK && status != 0) {
    result.transport = Transport::answered;
  } else {
    result.error = curl_easy_strerror(static_cast<CURLcode>(code));
    result.transport = sent > 0 || transfer.body_sent > 0 ? Transport::lost : Transport::not_sent;
  }
  curl_multi_remove_handle(multi_, transfer.handle);
  running_.erase(transfer.handle);
  curl_easy_cleanup(transfer.handle);
  transfer.handle = nullptr;
  ready_.push_back(transfer.waiter);
}

void HttpClient::turn(std::chrono::milliseconds timeout, std::span<const int> wake) {
  int still_running = 0;
  // Starts what was added since, before any waiting.
  curl_multi_perform(multi_, &still_running);
  const auto collect = [this] {
    int left = 0;
    while (const CURLMsg *message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      const auto found = running_.find(message->easy_handle);
      if (found != running_.end()) finish(*found->second, message->data.result);
    }
    const auto now = Clock::now();
    for (auto timer = timers_.begin(); timer != timers_.end() && timer->first <= now; ++timer) {
      ready_.push_back(timer->second);
    }
  };
  collect();
  if (ready_.empty() && timeout.count() > 0) {
    if (!timers_.empty()) {
      const auto next =
          std::chrono::ceil<std::chrono::milliseconds>(timers_.begin()->first - Clock::now());
      timeout = std::clamp(next, std::chrono::milliseconds{0}, timeout);
    }
    std::vector<curl_waitfd> descriptors;
    for (const int descriptor : wake) descriptors.push_back({descriptor, CURL_WAIT_POLLIN, 0});
    curl_multi_poll(multi_, descriptors.data(), static_cast<unsigned>(descriptors.size()),
                    static_cast<int>(timeout.count()), nullptr);
    curl_multi_perform(multi_, &still_running);
    collect();
  }
  const auto ready = std::exchange(ready_, {});
  for (const auto coroutine : ready) coroutine.resume();
  // What they asked for goes out at once.
  if (!ready.empty()) curl_multi_perform(multi_, &still_running);
}

}  // namespace crm_bridge::worker
