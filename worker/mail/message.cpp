// SPDX-License-Identifier: PostgreSQL
#include "mail/message.hpp"

#include <array>
#include <ctime>

#include "mail/address.hpp"
#include "mail/encoding.hpp"

namespace crm_bridge::worker {
namespace {

// Not strftime: the names of days and months are English, whatever the process's locale is.
std::string date_header(std::int64_t seconds) {
  constexpr std::array<const char *, 7> days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array<const char *, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t time = seconds;
  std::tm parts{};
  ::gmtime_r(&time, &parts);
  const auto two = [](int number) {
    return std::string(number < 10 ? "0" : "") + std::to_string(number);
  };
  return std::string("Date: ") + days[static_cast<std::size_t>(parts.tm_wday)] + ", " +
         std::to_string(parts.tm_mday) + " " + months[static_cast<std::size_t>(parts.tm_mon)] +
         " " + std::to_string(parts.tm_year + 1900) + " " + two(parts.tm_hour) + ":" +
         two(parts.tm_min) + ":" + two(parts.tm_sec) + " +0000\r\n";
}

// Content-Language takes tags with hyphens: "de-DE".
std::string language_tag(const std::string &locale) {
  std::string tag;
  for (const char c : locale) {
    if (c == '_') {
      tag += '-';
    } else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-') {
      tag += c;
    } else {
      break;
    }
  }
  return tag.empty() ? "en" : tag;
}

// The headers of the text and the text, by whichever encoding is shorter.
std::string text_part(const std::string &body) {
  const std::string text = cleaned_text(body);
  std::string readable = quoted_printable(text);
  std::string canonical;
  for (const char c : text) canonical += c == '\n' ? std::string("\r\n") : std::string(1, c);
  std::string dense = base64_lines(canonical);
  const bool use_dense = dense.size() < readable.size();
  return std::string("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: ") +
         (use_dense ? "base64" : "quoted-printable") + "\r\n\r\n" + (use_dense ? dense : readable);
}

// A name only: nothing that a mail program could take for a path.
std::string file_name(const std::string &name) {
  std::string safe;
  for (const char c : name) safe += c == '/' || c == '\\' || c == ':' ? '_' : c;
  while (safe.starts_with('.')) safe.erase(0, 1);
  return safe.empty() ? "table.csv" : safe;
}

}  // namespace

std::string compose_message(const Mail &mail, const Sender &sender, const std::string &to) {
  std::string message = mailbox_header("From", sender.name, sender.address);
  message += mailbox_header("To", {}, to);
  message += text_header("Subject", mail.subject);
  message += date_header(mail.queued_at);
  message += "Message-ID: <" + mail.notification_id + "@" + std::string(domain_of(sender.address)) +
             ">\r\n";
  message += "MIME-Version: 1.0\r\n";
  message += "Auto-Submitted: auto-generated\r\n";
  message += "Content-Language: " + language_tag(mail.locale) + "\r\n";
  if (mail.attachment.empty()) return message + text_part(mail.body);
  // "=_" stands in neither of the encodings.
  const std::string boundary = "=_" + mail.notification_id;
  message += "Content-Type: multipart/mixed;\r\n boundary=\"" + boundary + "\"\r\n\r\n";
  message += "--" + boundary + "\r\n" + text_part(mail.body) + "\r\n";
  message += "--" + boundary + "\r\nContent-Type: text/csv; charset=utf-8\r\n";
  message += "Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment" +
             parameter("filename", file_name(mail.attachment_name)) + "\r\n\r\n";
  message += base64_lines(mail.attachment);
  return message + "--" + boundary + "--\r\n";
}

}  // namespace crm_bridge::worker
