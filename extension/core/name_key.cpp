// SPDX-License-Identifier: PostgreSQL
#include "core/name_key.hpp"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/utf16.h>
#include <unicode/utf8.h>

#include <array>
#include <cstdint>
#include <new>
#include <vector>

#include "core/error.hpp"

namespace crm_bridge::core {

namespace {

// Lower case of an ASCII character, a space for its white space, 0 for what is not ASCII.  NUL is
// not in a text of the server; it stands for itself on the long way.
constexpr std::array<char, 256> ascii_keys = [] {
  std::array<char, 256> keys{};
  for (std::size_t c = 1; c < 128; ++c) {
    char const letter = static_cast<char>(c);
    keys[c] = letter >= 'A' && letter <= 'Z'     ? static_cast<char>(letter + ('a' - 'A'))
              : letter >= '\t' && letter <= '\r' ? ' '
                                                 : letter;
  }
  return keys;
}();

// Folds in place of ICU what needs no table: these are most capitals of most names, and what is
// lower case already passes through normalization at the speed of a copy.
constexpr UChar32 fold_simple(UChar32 c) {
  if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + 0x20 : c;
  if (c >= 0xC0 && c <= 0xDE) return c == 0xD7 ? c : c + 0x20;
  if (c >= 0x391 && c <= 0x3A9) return c == 0x3A2 ? c : c + 0x20;
  if (c >= 0x400 && c <= 0x40F) return c + 0x50;
  if (c >= 0x410 && c <= 0x42F) return c + 0x20;
  return c;
}

// Room on the stack for what names need; longer texts take it from the heap.
class Units {
 public:
  explicit Units(std::size_t wanted) { make_room(wanted); }
  void make_room(std::size_t wanted) {
    if (wanted <= capacity_) return;
    heap_.resize(wanted);
    capacity_ = wanted;
  }
  UChar *data() { return heap_.empty() ? stack_.data() : heap_.data(); }
  std::int32_t capacity() const { return static_cast<std::int32_t>(capacity_); }

 private:
  std::array<UChar, 256> stack_;  // not set: it is written before it is read
  std::vector<UChar> heap_;
  std::size_t capacity_ = 256;
};

using Instance = const UNormalizer2 *(*)(UErrorCode *);

const UNormalizer2 *loaded(Instance instance) {
  UErrorCode status = U_ZERO_ERROR;
  const UNormalizer2 *found = instance(&status);
  if (U_FAILURE(status))
    throw Error{{.sqlstate = "58000",
                 .message = "could not load the data of Unicode normalization",
                 .detail = u_errorName(status)}};
  return found;
}

// Returns how many units it wrote.
std::int32_t normalize(const UNormalizer2 *form, const UChar *text, std::int32_t length,
                       Units &out) {
  for (;;) {
    UErrorCode status = U_ZERO_ERROR;
    std::int32_t const size =
        unorm2_normalize(form, text, length, out.data(), out.capacity(), &status);
    if (U_SUCCESS(status)) return size;
    if (status != U_BUFFER_OVERFLOW_ERROR) throw std::bad_alloc{};
    out.make_room(static_cast<std::size_t>(size));  // one character may become eighteen
  }
}

// The iota below a Greek letter is the one mark that folds to a letter: where other marks stand
// around it, they have to be in their canonical order first, or equivalent names would differ.
constexpr bool has_iota_below(UChar32 c) {
  return c == 0x345 || c == 0x37A || (c >= 0x1F80 && c <= 0x1FFC);
}

std::int32_t put_marks_in_order(UChar *text, std::int32_t length, Units &ordered) {
  std::int32_t kept = 0;
  for (std::int32_t at = 0; at < length;) {
    UChar32 c;
    U16_NEXT(text, at, length, c);
    if (u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT)) continue;
    U16_APPEND_UNSAFE(text, kept, c);
  }
  return normalize(loaded(unorm2_getNFKDInstance), text, kept, ordered);
}

std::string unicode_key(std::string_view name) {
  // Every UTF-8 sequence of n bytes is at most n UTF-16 units.
  Units folded{name.size()};
  UChar *text = folded.data();
  const auto *bytes = reinterpret_cast<const std::uint8_t *>(name.data());
  std::int32_t length = 0;
  bool iota_below = false;
  for (std::size_t at = 0; at < name.size();) {
    UChar32 c = bytes[at];
    if (c < 0x80) {
      ++at;
    } else {
      U8_NEXT_OR_FFFD(bytes, at, name.size(), c);
      iota_below = iota_below || has_iota_below(c);
    }
    c = fold_simple(c);
    U16_APPEND_UNSAFE(text, length, c);
  }
  Units ordered{0};
  if (iota_below) {
    length = put_marks_in_order(text, length, ordered);
    text = ordered.data();
  }
  static const UNormalizer2 *const nfkc_casefold = loaded(unorm2_getNFKCCasefoldInstance);
  Units normal{static_cast<std::size_t>(length)};
  std::int32_t const size = normalize(nfkc_casefold, text, length, normal);
  std::string key(static_cast<std::size_t>(size) * 3, '\0');
  std::size_t end = 0;
  bool space = false;
  const UChar *const units = normal.data();
  auto *const out = reinterpret_cast<std::uint8_t *>(key.data());
  for (std::int32_t at = 0; at < size;) {
    UChar32 c;
    U16_NEXT(units, at, size, c);
    if (c == ' ' || (c < 0x80 ? c >= '\t' && c <= '\r' : u_isUWhiteSpace(c) != 0)) {
      space = end > 0;
      continue;
    }
    if (space) out[end++] = ' ';
    space = false;
    U8_APPEND_UNSAFE(out, end, c);
  }
  key.resize(end);
  return key;
}

}  // namespace

std::string name_key(std::string_view name) {
  std::string key(name.size(), '\0');
  std::size_t end = 0;
  bool space = false;
  for (char const byte : name) {
    char const c = ascii_keys[static_cast<unsigned char>(byte)];
    if (c == '\0') return unicode_key(name);
    if (c == ' ') {
      space = end > 0;
      continue;
    }
    if (space) key[end++] = ' ';
    space = false;
    key[end++] = c;
  }
  key.resize(end);
  return key;
}

}  // namespace crm_bridge::core
