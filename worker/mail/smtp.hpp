// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace crm_bridge::worker {

// How far a conversation with a mail server came.
enum class SmtpStage { connecting, sender, recipient, content, handed_over };

struct SmtpResult {
  SmtpStage stage = SmtpStage::connecting;
  bool accepted = false;  // the server has the mail
  bool login_refused = false;
  bool no_tls = false;      // TLS is demanded and cannot be had
  bool broken_off = false;  // by us: a stop, or the lease was lost
  int code = 0;             // of the server's last answer in this stage; 0: none came
  std::string words;        // that answer
  std::string error;        // what the library says
};

struct SmtpSettings {
  std::string url;  // smtp://host:port or smtps://host:port
  enum class Tls { required, opportunistic, off } tls = Tls::required;
  std::string ca_file;  // PEM; empty: the system's
  std::chrono::milliseconds timeout{60000};
};

struct SmtpLogin {
  std::string user;
  std::string password;
};

// One conversation at a time with one mail server, over a connection that is kept between mails.
// Beside http/client the only code that names curl.  A password is sent over TLS only, or to a
// loopback address.  Not thread-safe.
class SmtpClient {
 public:
  explicit SmtpClient(const SmtpSettings &settings);
  ~SmtpClient();
  SmtpClient(const SmtpClient &) = delete;
  SmtpClient &operator=(const SmtpClient &) = delete;

  // `hand_over` is asked when all but the last byte has left; if it says no, or throws, the server
  // does not get that byte and thereby not the mail.  What it throws is thrown on.  `stopped` is
  // asked all the time; before the last byte a yes breaks off, after it there are ten seconds to
  // wait for the answer.
  SmtpResult send(const std::string &from, const std::string &to, const std::string &message,
                  const std::optional<SmtpLogin> &login, const std::function<bool()> &hand_over,
                  const std::function<bool()> &stopped);

  // Connects, says EHLO, begins TLS and logs in, as send() would.
  SmtpResult greet(const std::optional<SmtpLogin> &login);

 private:
  struct Conversation;
  void prepare(Conversation &conversation, const std::optional<SmtpLogin> &login);

  SmtpSettings settings_;
  void *handle_ = nullptr;
};

// Whether the URL is one that mail is sent to: smtp or smtps, a host, perhaps a port.
bool is_smtp_url(const std::string &url);

}  // namespace crm_bridge::worker
