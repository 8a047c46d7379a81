// SPDX-License-Identifier: PostgreSQL
#include "mail/encoding.hpp"

#include <unicode/utf8.h>

#include <algorithm>
#include <array>

namespace crm_bridge::worker {
namespace {

constexpr std::size_t longest_line = 76;
constexpr std::size_t longest_word = 75;
constexpr std::string_view word_begin = "=?UTF-8?B?";
constexpr std::string_view word_end = "?=";
constexpr std::string_view hex = "0123456789ABCDEF";

// The macro of ICU converts without saying so.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
UChar32 next_point(std::string_view text, std::int32_t &at) {
  UChar32 point = 0;
  U8_NEXT(text.data(), at, static_cast<std::int32_t>(text.size()), point);
  return point;
}
#pragma GCC diagnostic pop

// The first character of the text, well-formed; takes it off.
std::string take_character(std::string_view &text) {
  std::int32_t at = 0;
  const bool good = next_point(text, at) >= 0;
  std::string character(good ? text.substr(0, static_cast<std::size_t>(at)) : "\xEF\xBF\xBD");
  text.remove_prefix(static_cast<std::size_t>(at));
  return character;
}

bool is_control(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  return first < 0x20 || first == 0x7f ||
         (first == 0xC2 && static_cast<unsigned char>(character[1]) < 0xA0);
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::string_view group = bytes.substr(i, 3);
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 3; ++k)
      bits = bits << 8U | (k < group.size() ? static_cast<unsigned char>(group[k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k)
      text += k <= group.size() ? digits[bits >> (18 - 6 * k) & 63U] : '=';
  }
  return text;
}

// One line: what separates lines or steers a terminal becomes a space.
std::string one_line(std::string_view text) {
  std::string line;
  while (!text.empty()) {
    const std::string character = take_character(text);
    line += is_control(character) ? std::string(" ") : character;
  }
  return line;
}

bool is_plain(std::string_view line) {
  return std::all_of(line.begin(), line.end(), [](char c) { return c >= ' ' && c < 0x7f; });
}

// Encoded words, each on a line of its own; the first follows `used` octets of its line.
std::string encoded_words(std::string_view line, std::size_t used) {
  std::string text;
  std::string chunk;
  const auto room = [&](std::size_t taken) {
    const std::size_t left = std::min(longest_word, longest_line - taken);
    return (left - word_begin.size() - word_end.size()) / 4 * 3;
  };
  std::size_t fits = room(used);
  const auto flush = [&] {
    if (!text.empty()) text += "\r\n ";
    text += std::string(word_begin) + base64(chunk) + std::string(word_end);
    chunk.clear();
    fits = room(1);
  };
  while (!line.empty()) {
    const std::string character = take_character(line);
    if (chunk.size() + character.size() > fits) flush();
    chunk += character;
  }
  if (!chunk.empty() || text.empty()) flush();
  return text;
}

// Plain text, folded at its spaces, which are single.
std::string folded(std::string_view line, std::size_t used) {
  std::string text;
  std::size_t column = used;
  for (std::size_t at = 0;;) {
    const std::size_t end = std::min(line.find(' ', at), line.size());
    const std::string_view word = line.substr(at, end - at);
    if (at > 0) {
      const bool full = column + 1 + word.size() > longest_line;
      text += full ? "\r\n " : " ";
      column = full ? 1 : column + 1;
    }
    text += word;
    column += word.size();
    if (end == line.size()) return text;
    at = end + 1;
  }
}

bool may_stay_plain(std::string_view line) {
  if (!is_plain(line) || line.empty() || line.front() == ' ' || line.back() == ' ' ||
      line.find("  ") != std::string_view::npos || line.find("=?") != std::string_view::npos)
    return false;
  std::size_t longest = 0;
  for (std::size_t at = 0; at < line.size();) {
    const std::size_t end = std::min(line.find(' ', at), line.size());
    longest = std::max(longest, end - at);
    at = end + 1;
  }
  return longest <= longest_line - 20;
}

}  // namespace

std::string text_header(std::string_view name, std::string_view text) {
  const std::string line = one_line(text);
  const std::string begin = std::string(name) + ": ";
  return begin +
         (may_stay_plain(line) ? folded(line, begin.size()) : encoded_words(line, begin.size())) +
         "\r\n";
}

std::string mailbox_header(std::string_view field, std::string_view name,
                           std::string_view address) {
  const std::string line = one_line(name);
  std::string header = std::string(field) + ": ";
  if (line.empty()) return header + std::string(address) + "\r\n";
  if (is_plain(line) && line.size() <= 50 && line.find("=?") == std::string::npos) {
    header += '"';
    for (const char c : line) {
      if (c == '"' || c == '\\') header += '\\';
      header += c;
    }
    header += '"';
  } else {
    header += encoded_words(line, header.size());
  }
  return header + "\r\n <" + std::string(address) + ">\r\n";
}

std::string base64_lines(std::string_view bytes) {
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += longest_line / 4 * 3)
    text += base64(bytes.substr(at, longest_line / 4 * 3)) + "\r\n";
  return text;
}

std::string quoted_printable(std::string_view text) {
  std::string result;
  std::size_t column = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n') {
      result += "\r\n";
      column = 0;
      continue;
    }
    const bool at_end = i + 1 == text.size() || text[i + 1] == '\n';
    const bool literal = (c > ' ' && c < 0x7f && c != '=') || ((c == ' ' || c == '\t') && !at_end);
    const std::size_t width = literal ? 1 : 3;
    // The soft line break needs a column itself.
    if (column + width > longest_line - (at_end ? 0 : 1)) {
      result += "=\r\n";
      column = 0;
    }
    if (literal) {
      result += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      result += '=';
      result += hex[byte >> 4U];
      result += hex[byte & 15U];
    }
    column += width;
  }
  return result;
}

std::string parameter(std::string_view name, std::string_view value) {
  const std::string line = one_line(value);
  const bool simple =
      is_plain(line) && line.size() <= 50 && line.find_first_of("\"\\%'*") == std::string::npos;
  if (simple) return ";\r\n " + std::string(name) + "=\"" + line + "\"";
  std::string text;
  std::string part;
  int number = 0;
  const auto flush = [&] {
    text += ";\r\n " + std::string(name) + "*" + std::to_string(number) +
            "*=" + (number == 0 ? "UTF-8''" : "") + part;
    part.clear();
    ++number;
  };
  for (const char c : line) {
    const auto byte = static_cast<unsigned char>(c);
    if (part.size() + 3 > 50) flush();
    if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
        c == '-' || c == '_') {
      part += c;
    } else {
      part += '%';
      part += hex[byte >> 4U];
      part += hex[byte & 15U];
    }
  }
  flush();
  return text;
}

std::string cleaned_text(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::string character = take_character(text);
    if (character == "\r") {
      if (!text.starts_with('\n')) result += '\n';
    } else if (is_control(character) && character != "\n" && character != "\t") {
      result += ' ';
    } else {
      result += character;
    }
  }
  return result;
}

}  // namespace crm_bridge::worker
