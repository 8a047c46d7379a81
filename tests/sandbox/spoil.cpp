// SPDX-License-Identifier: PostgreSQL
#include "spoil.hpp"

#include <algorithm>
#include <map>

namespace crm_bridge::sandbox {
namespace {

constexpr std::size_t megabyte = 1U << 20;
// More than any client should be willing to take.
constexpr std::size_t huge_answer = 64 * megabyte;
constexpr std::size_t huge_header = 10 * megabyte;
constexpr std::size_t absurd_depth = 100'000;

std::string text_of(const Answer &answer) {
  return answer.body.is_null() ? answer.text
                               : answer.body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void say(Answer &answer, std::string text) {
  answer.body = nullptr;
  answer.text = std::move(text);
}

// The results of a write, where the answer has them.
Json *rows_of(Answer &answer) {
  if (!answer.body.is_object()) return nullptr;
  const auto data = answer.body.find("data");
  return data != answer.body.end() && data->is_array() ? &*data : nullptr;
}

// Puts `what` into the first text of the answer, as bytes.
void put_into_text(Answer &answer, const std::string &what) {
  std::string text = text_of(answer);
  const std::size_t value = text.find(":\"");
  if (value != std::string::npos) text.insert(value + 2, what);
  say(answer, std::move(text));
}

using Spoiler = void (*)(Answer &);

const std::map<std::string, Spoiler> &spoilers() {
  static const std::map<std::string, Spoiler> table{
      {"truncated",
       [](Answer &answer) {
         const std::string text = text_of(answer);
         say(answer, text.substr(0, text.size() / 2));
       }},
      {"empty", [](Answer &answer) { say(answer, {}); }},
      {"no_object", [](Answer &answer) { say(answer, "42"); }},
      {"other_object",
       [](Answer &answer) {
         answer.body = {{"data", {{"id", Json::array()}}}};
       }},
      {"strange_types",
       [](Answer &answer) {
         say(answer,
             R"({"data":[{"id":{"id":1},"code":7,"details":[],"status":null}],"info":"none",)"
             R"("projects":{},"tasks":"none","tasklists":[null],"page_info":[]})");
       }},
      {"huge", [](Answer &answer) { say(answer, "[\"" + std::string(huge_answer, 'x') + "\"]"); }},
      {"deep",
       [](Answer &answer) {
         say(answer,
             "{\"data\":" + std::string(absurd_depth, '[') + std::string(absurd_depth, ']') + "}");
       }},
      {"gzip",
       [](Answer &answer) {
         say(answer, std::string("\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03", 10) +
                         std::string(1000, '\x42'));
         answer.headers.emplace_back("Content-Encoding", "gzip");
       }},
      {"bad_utf8", [](Answer &answer) { put_into_text(answer, "\xc3\x28\xed\xa0\x80\xff"); }},
      {"lone_surrogate", [](Answer &answer) { put_into_text(answer, "\\ud83d"); }},
      {"nul", [](Answer &answer) { put_into_text(answer, "\\u0000"); }},
      {"big_header",
       [](Answer &answer) { answer.headers.emplace_back("X-Big", std::string(huge_header, 'h')); }},
      {"redirect",
       [](Answer &answer) {
         answer.status = 302;
         say(answer, {});
         answer.headers.emplace_back("Location", "http://127.0.0.1:9/elsewhere");
       }},
      {"rows_missing",
       [](Answer &answer) {
         if (Json *rows = rows_of(answer); rows != nullptr && !rows->empty())
           rows->erase(rows->size() - 1);
       }},
      {"rows_shuffled",
       [](Answer &answer) {
         if (Json *rows = rows_of(answer)) std::reverse(rows->begin(), rows->end());
       }},
      {"rows_failed", [](Answer &answer) {
         Json *rows = rows_of(answer);
         if (rows == nullptr) return;
         for (std::size_t i = 0; i < rows->size(); i += 3) {
           (*rows)[i] = {{"code", "INTERNAL_ERROR"},
                         {"details", Json::object()},
                         {"message", "Internal Server Error"},
                         {"status", "error"}};
         }
       }}};
  return table;
}

}  // namespace

const std::vector<std::string> &ways_to_spoil() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> list;
    for (const auto &[name, spoiler] : spoilers()) list.push_back(name);
    return list;
  }();
  return names;
}

void spoil(Answer &answer, const std::string &how) {
  const auto found = spoilers().find(how);
  if (found != spoilers().end()) found->second(answer);
}

}  // namespace crm_bridge::sandbox
