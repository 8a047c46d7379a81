// SPDX-License-Identifier: PostgreSQL
// A service that does nothing as fast as it can: it grants tokens, says of every record it is sent
// that it has it now, and of everything that is read that there is none.  With "--load N URL" it is
// the other side instead: N requests through a bare libcurl multi loop, the least that sending can
// cost.
#include <curl/curl.h>
#include <httplib.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

namespace {

constexpr int connections = 32;
using Json = nlohmann::json;

void answer_write(const httplib::Request &request, httplib::Response &response) {
  static std::atomic<long> next_id{1};
  // Projects takes one record a request, and answers with it.
  if (request.path.rfind("/api/", 0) == 0) {
    response.set_content(Json{{"id", std::to_string(next_id++)}}.dump(), "application/json");
    return;
  }
  const Json body = Json::parse(request.body, nullptr, false);
  Json results = Json::array();
  if (body.is_object() && body.contains("data")) {
    for (const auto &record : body["data"]) {
      const std::string id =
          record.contains("id") ? record["id"].get<std::string>() : std::to_string(next_id++);
      results.push_back(
          {{"code", "SUCCESS"},
           {"status", "success"},
           {"details", {{"id", id}, {"Modified_Time", "2026-03-01T09:15:00+00:00"}}}});
    }
  }
  response.set_content(Json{{"data", std::move(results)}}.dump(), "application/json");
}

int serve(const char *ready_file) {
  httplib::Server server;
  server.new_task_queue = [] { return new httplib::ThreadPool(2 * connections); };
  server.set_keep_alive_max_count(1U << 30);
  server.set_tcp_nodelay(true);
  server.set_payload_max_length(64U << 20);
  server.Post("/oauth/v2/token", [](const httplib::Request &, httplib::Response &response) {
    response.set_content(
        R"({"access_token":"none","expires_in":3600,"api_domain":"","token_type":"Bearer"})",
        "application/json");
  });
  server.Get(".*",
             [](const httplib::Request &, httplib::Response &response) { response.status = 204; });
  server.Post(".*", answer_write);
  server.Put(".*", answer_write);
  server.Patch(".*", answer_write);
  const int port = server.bind_to_any_port("127.0.0.1");
  std::ofstream(ready_file) << port << '\n';
  return server.listen_after_bind() ? EXIT_SUCCESS : EXIT_FAILURE;
}

int load(long requests, const char *url) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
  CURLM *multi = curl_multi_init();
  std::array<CURL *, connections> handles{};
  for (CURL *&handle : handles) {
    handle = curl_easy_init();
    curl_easy_setopt(handle, CURLOPT_URL, url);
    curl_multi_add_handle(multi, handle);
  }
  const auto began = std::chrono::steady_clock::now();
  long begun = connections;
  long done = 0;
  while (done < requests) {
    int running = 0;
    curl_multi_perform(multi, &running);
    int left = 0;
    while (const CURLMsg *message = curl_multi_info_read(multi, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      ++done;
      curl_multi_remove_handle(multi, message->easy_handle);
      if (begun++ < requests) curl_multi_add_handle(multi, message->easy_handle);
    }
    if (running > 0) curl_multi_poll(multi, nullptr, 0, 10, nullptr);
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - began;
  std::printf("%.0f\n", static_cast<double>(requests) / seconds.count());
  return EXIT_SUCCESS;
}

}  // namespace

int main(int count, char **words) {
  if (count == 4 && std::string(words[1]) == "--load") return load(std::atol(words[2]), words[3]);
  if (count == 2) return serve(words[1]);
  std::fprintf(stderr, "usage: %s READY_FILE | --load REQUESTS URL\n", words[0]);
  return 2;
}
