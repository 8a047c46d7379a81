// SPDX-License-Identifier: PostgreSQL
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "mail/address.hpp"
#include "mail/encoding.hpp"
#include "mail/login.hpp"
#include "mail/message.hpp"
#include "mail/verdict.hpp"
#include "seal/key.hpp"

namespace data = boost::unit_test::data;
using namespace crm_bridge::worker;

namespace {

std::vector<std::string> lines_of(const std::string &message) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < message.size();) {
    const std::size_t end = message.find("\r\n", at);
    BOOST_REQUIRE(end != std::string::npos);
    lines.push_back(message.substr(at, end - at));
    at = end + 2;
  }
  return lines;
}

std::string decoded(std::string_view text) {
  std::string bytes;
  unsigned bits = 0;
  int have = 0;
  for (const char c : text) {
    const std::size_t digit =
        std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
            .find(c);
    if (digit == std::string_view::npos) continue;
    bits = bits << 6U | static_cast<unsigned>(digit);
    have += 6;
    if (have >= 8) {
      have -= 8;
      bytes += static_cast<char>(bits >> static_cast<unsigned>(have) & 255U);
    }
  }
  return bytes;
}

// The encoded words of a header, each of which must be whole by itself.
std::string read_words(const std::string &header) {
  std::string text;
  for (const auto &line : lines_of(header)) {
    BOOST_TEST(line.size() <= 76U);
    const std::size_t begin = line.find("=?UTF-8?B?");
    BOOST_REQUIRE(begin != std::string::npos);
    const std::size_t end = line.find("?=", begin + 10);
    BOOST_REQUIRE(end != std::string::npos);
    BOOST_TEST(end + 2 - begin <= 75U);
    const std::string part = decoded(std::string_view(line).substr(begin + 10, end - begin - 10));
    // A character that is cut would be replaced here.
    BOOST_TEST(cleaned_text(part) == part);
    text += part;
  }
  return text;
}

Mail mail_of(const std::string &subject, const std::string &body) {
  return {"018f0000-0000-7000-8000-000000000001",
          "mira@zylker.example",
          "ja_JP",
          "key_stale",
          subject,
          body,
          {},
          {},
          1772356500,
          1};
}
const Sender sender{"bridge@zylker.example", "Brücke"};

SmtpResult result_of(SmtpStage stage, int code, bool accepted = false) {
  SmtpResult result;
  result.stage = stage;
  result.code = code;
  result.accepted = accepted;
  result.words = std::to_string(code) + " words";
  result.error = "lost";
  return result;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(mail)

BOOST_AUTO_TEST_CASE(a_subject_of_any_length_is_whole_encoded_words) {
  std::string subject;
  for (int i = 0; i < 40; ++i) {
    BOOST_TEST(read_words(text_header("Subject", subject + "期")) == subject + "期");
    subject += i % 3 == 0 ? "ü" : i % 3 == 1 ? "限日" : "😀x";
  }
}

BOOST_AUTO_TEST_CASE(a_plain_subject_stays_readable_and_is_folded) {
  BOOST_TEST(text_header("Subject", "Due date not changed: Routers") ==
             "Subject: Due date not changed: Routers\r\n");
  std::string words = "word";
  for (int i = 0; i < 60; ++i) words += " word";
  std::string unfolded;
  for (const auto &line : lines_of(text_header("Subject", words))) {
    BOOST_TEST(line.size() <= 76U);
    unfolded += line;
  }
  BOOST_TEST(unfolded == "Subject: " + words);
  for (const std::string odd : {"", " x", "two  spaces", "=?UTF-8?B?eA==?="})
    BOOST_TEST(read_words(text_header("Subject", odd)).size() == odd.size());
  BOOST_TEST(read_words(text_header("Subject", std::string(500, 'x'))) == std::string(500, 'x'));
}

const std::string hostile[] = {"a\r\nBcc: all@example.com",
                               "a\nBcc: all@example.com",
                               "a\rBcc: all@example.com",
                               "a\r\n\r\n<html>",
                               std::string("a\0b\r\nBcc: x", 12),
                               "\xC2\x85"
                               "Bcc: x\xE2\x80\xA8",
                               "\xFF\xFE\r\n.\r\nMAIL FROM:<x>",
                               "\"\\\r\n\t Bcc: x",
                               "=?utf-8?q?a=0D=0ABcc:_x?="};

BOOST_DATA_TEST_CASE(no_value_makes_a_header, data::make(hostile), value) {
  Mail mail = mail_of(value, value);
  mail.locale = value;
  mail.attachment = "a,b\n";
  mail.attachment_name = value + ".csv";
  const std::string message =
      compose_message(mail, {"bridge@zylker.example", value}, "m@z.example");
  bool head = true;
  for (const auto &line : lines_of(message)) {
    BOOST_TEST(line.size() <= 78U);
    BOOST_TEST(std::all_of(line.begin(), line.end(),
                           [](char c) { return (c >= ' ' && c < 0x7f) || c == '\t'; }));
    if (line.empty()) head = false;
    if (head) BOOST_TEST(!line.starts_with("Bcc"));
  }
}

BOOST_AUTO_TEST_CASE(a_mail_has_the_headers_of_an_automatic_one) {
  const std::string message =
      compose_message(mail_of("Hello", "Body\n"), sender, "mira@zylker.example");
  for (const std::string header :
       {"From: =?UTF-8?B?QnLDvGNrZQ==?=\r\n <bridge@zylker.example>\r\n",
        "\r\nTo: mira@zylker.example\r\n", "\r\nSubject: Hello\r\n",
        "\r\nDate: Sun, 1 Mar 2026 09:15:00 +0000\r\n",
        "\r\nMessage-ID: <018f0000-0000-7000-8000-000000000001@zylker.example>\r\n",
        "\r\nMIME-Version: 1.0\r\n", "\r\nAuto-Submitted: auto-generated\r\n",
        "\r\nContent-Language: ja-JP\r\n", "\r\nContent-Type: text/plain; charset=utf-8\r\n"}) {
    BOOST_TEST(message.find(header) != std::string::npos, header);
  }
  BOOST_TEST(message == compose_message(mail_of("Hello", "Body\n"), sender, "mira@zylker.example"));
}

BOOST_AUTO_TEST_CASE(a_text_is_encoded_the_shorter_way_and_wears_nothing_away) {
  const std::string latin = "Grüße = 1\n-- \n.\nend " + std::string(200, 'x') + "\n";
  const std::string readable = compose_message(mail_of("s", latin), sender, "m@z.example");
  BOOST_TEST(readable.find("quoted-printable\r\n\r\nGr=C3=BC=C3=9Fe =3D 1\r\n--=20\r\n.\r\nend ") !=
             std::string::npos);
  const std::string japanese = "期限日は変更されませんでした\n期限日";
  const std::string dense = compose_message(mail_of("s", japanese), sender, "m@z.example");
  const std::size_t at = dense.find("base64\r\n\r\n");
  BOOST_REQUIRE(at != std::string::npos);
  BOOST_TEST(decoded(dense.substr(at + 10)) == "期限日は変更されませんでした\r\n期限日");
}

BOOST_AUTO_TEST_CASE(R41_the_table_comes_along_as_a_file) {
  Mail mail = mail_of("s", "b");
  mail.attachment = "Größe;\xE6\x97\xA5\n";
  mail.attachment_name = "../clients.csv";
  const std::string plain = compose_message(mail, sender, "m@z.example");
  BOOST_TEST(plain.find("attachment;\r\n filename=\"_clients.csv\"\r\n\r\n" +
                        base64_lines(mail.attachment)) != std::string::npos);
  mail.attachment_name = "取引先 \"A\".csv";
  BOOST_TEST(compose_message(mail, sender, "m@z.example")
                 .find(";\r\n filename*0*=UTF-8''%E5%8F%96%E5%BC%95%E5%85%88%20%22A%22.csv\r\n") !=
             std::string::npos);
  BOOST_TEST(plain.ends_with("--=_018f0000-0000-7000-8000-000000000001--\r\n"));
}

BOOST_AUTO_TEST_CASE(lines_are_short_whatever_the_text) {
  for (std::size_t length = 60; length < 90; ++length) {
    for (const std::string unit : {"x", "=", "ü", " "}) {
      std::string text;
      for (std::size_t i = 0; i < length; ++i) text += unit;
      std::string joined;
      for (const auto &line : lines_of(quoted_printable(text + "\n"))) {
        BOOST_TEST(line.size() <= 76U);
        BOOST_TEST(!line.ends_with(' '));
        joined += line.ends_with('=') ? line.substr(0, line.size() - 1) : line;
      }
      std::string plain;
      for (std::size_t i = 0; i < joined.size(); ++i) {
        if (joined[i] != '=') {
          plain += joined[i];
        } else {
          plain += static_cast<char>(std::stoi(joined.substr(i + 1, 2), nullptr, 16));
          i += 2;
        }
      }
      BOOST_TEST(plain == text);
    }
  }
}

BOOST_AUTO_TEST_CASE(addresses_that_mail_can_be_sent_to) {
  BOOST_TEST(*mail_address("o'hara+x@zylker.example") == "o'hara+x@zylker.example");
  BOOST_TEST(*mail_address("mira@B\xC3\xBC"
                           "cher.example") == "mira@xn--bcher-kva.example");
  BOOST_TEST(*mail_address("mira@例え.テスト") == "mira@xn--r8jz45g.xn--zckzah");
  for (const std::string bad :
       {"", "mira", "@b.example", "a@", "a b@c.example", "a@b@c.example", "\"a\"@b.example",
        "m\xC3\xAFra@b.example", "a@b.example\r\nRCPT TO:<x>", "a>@b.example", "a@b..example",
        "a@-b.example", "a@b.example>", "a..b@c.example", ".a@c.example", "a@b_c.example"}) {
    BOOST_TEST(!mail_address(bad).has_value(), bad);
  }
  BOOST_TEST(!mail_address(std::string(65, 'a') + "@b.example").has_value());
  BOOST_TEST(domain_of("mira@zylker.example") == "zylker.example");
}

BOOST_AUTO_TEST_CASE(R81_what_an_answer_means_for_the_mail) {
  const auto outcome = [](SmtpStage stage, int code, bool accepted = false) {
    const MailVerdict verdict = judge_mail(result_of(stage, code, accepted));
    return verdict.outcome + (verdict.server_trouble ? " trouble" : "");
  };
  BOOST_TEST(outcome(SmtpStage::handed_over, 250, true) == "sent");
  // Only the server's own word tells that it does not have it.
  BOOST_TEST(outcome(SmtpStage::handed_over, 0) == "in_doubt");
  BOOST_TEST(outcome(SmtpStage::handed_over, 451) == "retry");
  BOOST_TEST(outcome(SmtpStage::handed_over, 421) == "retry trouble");
  BOOST_TEST(outcome(SmtpStage::handed_over, 554) == "undeliverable");
  BOOST_TEST(outcome(SmtpStage::content, 0) == "retry trouble");
  BOOST_TEST(outcome(SmtpStage::content, 354) == "retry trouble");
  BOOST_TEST(outcome(SmtpStage::content, 554) == "undeliverable");
  BOOST_TEST(outcome(SmtpStage::recipient, 550) == "undeliverable");
  BOOST_TEST(outcome(SmtpStage::recipient, 450) == "retry");
  // Not about this mail.
  BOOST_TEST(outcome(SmtpStage::sender, 553) == "release trouble");
  BOOST_TEST(outcome(SmtpStage::connecting, 554) == "release trouble");
  BOOST_TEST(outcome(SmtpStage::connecting, 0) == "release trouble");
  SmtpResult stopped = result_of(SmtpStage::content, 354);
  stopped.broken_off = true;
  BOOST_TEST(judge_mail(stopped).outcome == "release");
  stopped.stage = SmtpStage::handed_over;
  BOOST_TEST(judge_mail(stopped).outcome == "in_doubt");
  BOOST_TEST(judge_mail(result_of(SmtpStage::recipient, 550)).detail == "550 words");
}

BOOST_AUTO_TEST_CASE(B16_a_login_that_is_incomplete_is_refused_without_its_values) {
  BOOST_TEST(parse_login(parse_json(R"({"user":"u","password":"p"})")).password == "p");
  for (const std::string text :
       {R"({"user":"secret-user"})", R"({"password":"secret-pass"})", "[]"}) {
    BOOST_CHECK_EXCEPTION(parse_login(parse_json(text)), KeyError, [](const KeyError &fault) {
      return std::string(fault.what()).find("secret-") == std::string::npos;
    });
  }
}

BOOST_AUTO_TEST_CASE(mail_servers_are_named_plainly) {
  for (const std::string good :
       {"smtp://mail.example.com", "smtp://127.0.0.1:2525", "smtps://mail.example.com:465"})
    BOOST_TEST(is_smtp_url(good), good);
  for (const std::string bad :
       {"", "mail.example.com", "http://mail.example.com", "smtp://u:p@mail.example.com",
        "smtp://mail.example.com/name", "smtp://mail.example.com:0", "smtp://a b"})
    BOOST_TEST(!is_smtp_url(bad), bad);
}

BOOST_AUTO_TEST_SUITE_END()
