// SPDX-License-Identifier: PostgreSQL
//
// core::name_key beside a C probe: what a C programmer would write on ICU's C API with an ASCII
// fast path and buffers of fixed size.  Exits with 1 if the ratio over all names is above 2.
#include "core/name_key.hpp"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>
#include <unicode/utf16.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

constexpr int capacity = 2048;

int probe_spaces(const UChar *units, int size, UChar *out) {
  int end = 0;
  bool space = false;
  for (int at = 0; at < size;) {
    UChar32 c;
    U16_NEXT(units, at, size, c);
    if (u_isUWhiteSpace(c)) {
      space = end > 0;
      continue;
    }
    if (space) out[end++] = ' ';
    space = false;
    U16_APPEND_UNSAFE(out, end, c);
  }
  return end;
}

int probe(const char *name, int size, char *key) {
  int end = 0;
  bool space = false;
  int at = 0;
  for (; at < size; ++at) {
    unsigned char const c = static_cast<unsigned char>(name[at]);
    if (c >= 0x80) break;
    if (c == ' ' || (c >= '\t' && c <= '\r')) {
      space = end > 0;
      continue;
    }
    if (space) key[end++] = ' ';
    space = false;
    key[end++] = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 0x20 : c);
  }
  if (at == size) return end;
  static UChar text[capacity], normal[capacity], trimmed[capacity];
  UErrorCode status = U_ZERO_ERROR;
  int length = 0;
  u_strFromUTF8(text, capacity, &length, name, size, &status);
  length = unorm2_normalize(unorm2_getNFKCCasefoldInstance(&status), text, length, normal, capacity,
                            &status);
  length = probe_spaces(normal, length, trimmed);
  u_strToUTF8(key, capacity, &end, trimmed, length, &status);
  return U_SUCCESS(status) ? end : -1;
}

struct Script {
  const char *name;
  std::vector<std::string> names;
};

std::vector<Script> scripts() {
  return {
      {"ASCII",
       {"Acme Corporation", "Betasoloin Holding Ltd.", "Zumgoity", "J & K  Partners, LLC"}},
      {"Latin",
       {"Société Générale", "Müller & Söhne GmbH", "Ørsted A/S", "Łódź Metalowiec Sp. z o.o."}},
      {"Greek", {"Εθνική Τράπεζα", "ΔΕΗ Ανανεώσιμες", "ΚΟΣΜΟΣ Α.Ε."}},
      {"Cyrillic", {"ПАО «Газпром»", "Українські ЗАЛІЗНИЦІ", "Сбербанк России"}},
      {"Hebrew, Arabic", {"בנק הפועלים", "شركة الاتصالات السعودية", "مصرف الراجحي"}},
      {"Indic, Thai", {"टाटा कंसल्टेंसी सर्विसेज", "ธนาคารกสิกรไทย", "ಇನ್ಫೋಸಿಸ್"}},
      {"Chinese", {"华为技术有限公司", "中国石油天然气集团公司", "臺灣積體電路製造"}},
      {"Japanese", {"株式会社トヨタ自動車", "ソニーグループ株式会社", "㈱ｶﾌﾞｼｷｶﾞｲｼｬ"}},
      {"Korean", {"삼성전자 주식회사", "현대자동차", "주식회사 카카오"}},
      {"full width", {"ＡＣＭＥ　Ｃｏ．，Ｌｔｄ．", "Ａｃｍｅ　Ｊａｐａｎ"}},
  };
}

template <typename Fn>
double nanoseconds(Fn &&fn, std::size_t calls) {
  auto const start = std::chrono::steady_clock::now();
  fn();
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start)
             .count() /
         static_cast<double>(calls);
}

}  // namespace

int main() {
  constexpr int repeats = 20'000;
  constexpr int rounds = 7;
  std::size_t sum = 0;
  double all_ours = 0, all_probe = 0;
  std::printf("%-16s %14s %14s %8s\n", "names", "crm_bridge ns", "C probe ns", "ratio");
  auto const all = scripts();
  for (const Script &script : all) {
    std::size_t const calls = repeats * script.names.size();
    std::vector<double> ours, theirs;
    for (int round = 0; round < rounds; ++round) {
      ours.push_back(nanoseconds(
          [&] {
            for (int i = 0; i < repeats; ++i)
              for (const std::string &name : script.names)
                sum += crm_bridge::core::name_key(name).size();
          },
          calls));
      theirs.push_back(nanoseconds(
          [&] {
            static char key[3 * capacity];
            for (int i = 0; i < repeats; ++i)
              for (const std::string &name : script.names)
                sum += static_cast<std::size_t>(
                    probe(name.data(), static_cast<int>(name.size()), key));
          },
          calls));
    }
    std::sort(ours.begin(), ours.end());
    std::sort(theirs.begin(), theirs.end());
    double const mine = ours[rounds / 2], peer = theirs[rounds / 2];
    all_ours += mine;
    all_probe += peer;
    std::printf("%-16s %14.0f %14.0f %8.2f\n", script.name, mine, peer, mine / peer);
  }
  auto const count = static_cast<double>(all.size());
  std::printf("%-16s %14.0f %14.0f %8.2f  (target: at most 2, and 1100 ns)  [%zu]\n", "all",
              all_ours / count, all_probe / count, all_ours / all_probe, sum);
  return all_ours / all_probe <= 2 && all_ours / count <= 1100 ? EXIT_SUCCESS : EXIT_FAILURE;
}
