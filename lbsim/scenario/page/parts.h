// The parts of a report's page, as they are in this folder.
#pragma once

namespace lb::scenario::page {

extern const char* const kHtml;    // With the marks @TITLE@, @CSS@, @DATA@ and @SCRIPT@.
extern const char* const kCss;     // Of the charts and of the page.
extern const char* const kScript;  // Likewise.

}  // namespace lb::scenario::page
