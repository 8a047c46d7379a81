// SPDX-License-Identifier: PostgreSQL
#include "mail/smtp.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <new>

#include "http/client.hpp"
#include "http/origin.hpp"

namespace crm_bridge::worker {
namespace {

constexpr long connect_timeout_milliseconds = 20'000;
constexpr long longest_idle_seconds = 20;
constexpr std::chrono::seconds patience_after_stop{10};
constexpr std::size_t longest_words = 1000;

// The URL with a scheme that parse_origin knows; it is as strict about hosts as we want to be.
std::string as_https(const std::string &url) {
  const std::size_t colon = url.find("://");
  return "https" + url.substr(std::min(colon, url.size()));
}

bool is_loopback(const std::string &url) {
  const auto origin = parse_origin(as_https(url));
  return origin && parse_origin("http" + as_https(url).substr(5)).has_value();
}

}  // namespace

bool is_smtp_url(const std::string &url) {
  if (!url.starts_with("smtp://") && !url.starts_with("smtps://")) return false;
  // No path: libcurl would take it for our own name.
  return url.find_first_of("/?#", url.find("://") + 3) == std::string::npos &&
         parse_origin(as_https(url)).has_value();
}

struct SmtpClient::Conversation {
  using Clock = std::chrono::steady_clock;
  const std::string *message = nullptr;
  std::size_t sent = 0;
  const std::function<bool()> *hand_over = nullptr;
  const std::function<bool()> *stopped = nullptr;
  std::exception_ptr fault{};
  bool parting = false;
  Clock::time_point stopped_at{};
  SmtpResult result{};

  // The library asks for more once all of the message has left; what it sends then is the end.
  static std::size_t on_read(char *data, std::size_t size, std::size_t count, void *self) {
    auto &own = *static_cast<Conversation *>(self);
    const std::size_t bytes = std::min(size * count, own.message->size() - own.sent);
    if (bytes == 0) return own.finish_content() ? 0 : CURL_READFUNC_ABORT;
    std::memcpy(data, own.message->data() + own.sent, bytes);
    own.sent += bytes;
    return bytes;
  }
  bool finish_content() {
    if (result.stage == SmtpStage::handed_over) return true;
    try {
      if ((*stopped)() || !(*hand_over)()) {
        result.broken_off = true;
        return false;
      }
    } catch (...) {
      fault = std::current_exception();
      return false;
    }
    enter(SmtpStage::handed_over);
    return true;
  }
  void enter(SmtpStage stage) {
    result.stage = stage;
    result.code = 0;
    result.words.clear();
  }

  // The commands that go out tell the stage; nothing of them is kept, least of all a password.
  static int on_debug(CURL *, curl_infotype type, char *data, std::size_t size, void *self) {
    auto &own = *static_cast<Conversation *>(self);
    const std::string_view text(data, size);
    if (type == CURLINFO_HEADER_OUT) {
      if (text.starts_with("MAIL FROM:")) own.enter(SmtpStage::sender);
      if (text.starts_with("RCPT TO:")) own.enter(SmtpStage::recipient);
      if (text.starts_with("DATA")) own.enter(SmtpStage::content);
      // What is said to that is not about the mail.
      if (text.starts_with("QUIT")) own.parting = true;
    } else if (type == CURLINFO_HEADER_IN && !own.parting) {
      own.take_answer(text);
    }
    return 0;
  }
  void take_answer(std::string_view line) {
    while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
    if (line.size() < 3 ||
        !std::all_of(line.begin(), line.begin() + 3, [](char c) { return c >= '0' && c <= '9'; }))
      return;
    const int code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
    // Several lines of one answer have the same code.
    if (code != result.code) result.words.clear();
    result.code = code;
    if (result.words.size() + line.size() > longest_words) return;
    if (!result.words.empty()) result.words += ' ';
    result.words += line;
  }
  static int on_progress(void *self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    auto &own = *static_cast<Conversation *>(self);
    if (own.stopped == nullptr || !(*own.stopped)()) return 0;
    const auto now = Clock::now();
    if (own.stopped_at == Clock::time_point{}) own.stopped_at = now;
    if (own.result.stage == SmtpStage::handed_over && now - own.stopped_at < patience_after_stop)
      return 0;
    own.result.broken_off = true;
    return 1;
  }
};

SmtpClient::SmtpClient(const SmtpSettings &settings) : settings_(settings) {
  initialize_http_library();
  handle_ = curl_easy_init();
  if (handle_ == nullptr) throw std::bad_alloc{};
}

SmtpClient::~SmtpClient() { curl_easy_cleanup(handle_); }

void SmtpClient::prepare(Conversation &conversation, const std::optional<SmtpLogin> &login) {
  curl_easy_reset(handle_);
  curl_easy_setopt(handle_, CURLOPT_URL, settings_.url.c_str());
  curl_easy_setopt(handle_, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  curl_easy_setopt(handle_, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(handle_, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle_, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  long tls = CURLUSESSL_ALL;
  if (settings_.tls == SmtpSettings::Tls::off) tls = CURLUSESSL_NONE;
  if (settings_.tls == SmtpSettings::Tls::opportunistic) tls = CURLUSESSL_TRY;
  // Whoever stands between could talk us out of TLS and read the password.
  if (login && !is_loopback(settings_.url)) tls = CURLUSESSL_ALL;
  curl_easy_setopt(handle_, CURLOPT_USE_SSL, tls);
  if (!settings_.ca_file.empty())
    curl_easy_setopt(handle_, CURLOPT_CAINFO, settings_.ca_file.c_str());
  if (login) {
    curl_easy_setopt(handle_, CURLOPT_USERNAME, login->user.c_str());
    curl_easy_setopt(handle_, CURLOPT_PASSWORD, login->password.c_str());
  }
  curl_easy_setopt(handle_, CURLOPT_CONNECTTIMEOUT_MS, connect_timeout_milliseconds);
  // One that is idle for longer has probably been closed by the server.
  curl_easy_setopt(handle_, CURLOPT_MAXAGE_CONN, longest_idle_seconds);
  curl_easy_setopt(handle_, CURLOPT_TIMEOUT_MS, static_cast<long>(settings_.timeout.count()));
  curl_easy_setopt(handle_, CURLOPT_VERBOSE, 1L);
  curl_easy_setopt(handle_, CURLOPT_DEBUGFUNCTION, &Conversation::on_debug);
  curl_easy_setopt(handle_, CURLOPT_DEBUGDATA, &conversation);
  curl_easy_setopt(handle_, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(handle_, CURLOPT_XFERINFOFUNCTION, &Conversation::on_progress);
  curl_easy_setopt(handle_, CURLOPT_XFERINFODATA, &conversation);
}

namespace {

void note_error(SmtpResult &result, CURLcode code) {
  if (code == CURLE_OK) return;
  result.error = curl_easy_strerror(code);
  result.login_refused = code == CURLE_LOGIN_DENIED;
  result.no_tls = code == CURLE_USE_SSL_FAILED || code == CURLE_SSL_CONNECT_ERROR ||
                  code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE;
}

struct FreeList {
  void operator()(curl_slist *list) const { curl_slist_free_all(list); }
};

}  // namespace

SmtpResult SmtpClient::send(const std::string &from, const std::string &to,
                            const std::string &message, const std::optional<SmtpLogin> &login,
                            const std::function<bool()> &hand_over,
                            const std::function<bool()> &stopped) {
  Conversation conversation;
  conversation.message = &message;
  conversation.hand_over = &hand_over;
  conversation.stopped = &stopped;
  prepare(conversation, login);
  const std::string sender = "<" + from + ">";
  const std::string recipient = "<" + to + ">";
  const std::unique_ptr<curl_slist, FreeList> recipients(
      curl_slist_append(nullptr, recipient.c_str()));
  curl_easy_setopt(handle_, CURLOPT_MAIL_FROM, sender.c_str());
  curl_easy_setopt(handle_, CURLOPT_MAIL_RCPT, recipients.get());
  curl_easy_setopt(handle_, CURLOPT_UPLOAD, 1L);
  // No size: it would let the library end the mail without asking for more.
  curl_easy_setopt(handle_, CURLOPT_READFUNCTION, &Conversation::on_read);
  curl_easy_setopt(handle_, CURLOPT_READDATA, &conversation);
  const CURLcode code = curl_easy_perform(handle_);
  SmtpResult &result = conversation.result;
  note_error(result, code);
  result.accepted = code == CURLE_OK && result.stage == SmtpStage::handed_over;
  curl_easy_reset(handle_);
  if (conversation.fault) std::rethrow_exception(conversation.fault);
  return result;
}

SmtpResult SmtpClient::greet(const std::optional<SmtpLogin> &login) {
  Conversation conversation;
  prepare(conversation, login);
  curl_easy_setopt(handle_, CURLOPT_CONNECT_ONLY, 1L);
  const CURLcode code = curl_easy_perform(handle_);
  note_error(conversation.result, code);
  conversation.result.accepted = code == CURLE_OK;
  curl_easy_reset(handle_);
  return conversation.result;
}

}  // namespace crm_bridge::worker
