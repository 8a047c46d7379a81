// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <string>
#include <string_view>

namespace crm_bridge::core {

// The text a person reads: tags dropped, <br>, </p>, </div>, </li>, </tr> and headings as line
// breaks, list items led by "- ", character references decoded (named ones of HTML 4, decimal,
// hexadecimal), white space folded as a browser does, <script>, <style> and comments left out.
// Total: any bytes of valid UTF-8 give a result; no recursion.
std::string html_to_plain(std::string_view html);

// Markup that shows exactly this text: & < > " escaped, line breaks as <br>, so that
// html_to_plain(plain_to_html(text)) == text for text without trailing or doubled white space.
std::string plain_to_html(std::string_view plain);

}  // namespace crm_bridge::core
