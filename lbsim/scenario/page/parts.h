// The parts of pages, as they are in this folder.
#pragma once

namespace lb::scenario::page {

// With the marks @TITLE@, @CSS@, @DATA@ and @SCRIPT@.
extern const char* const kReportHtml;
extern const char* const kCompareHtml;

extern const char* const kCss;     // Of the charts and of all pages.
extern const char* const kCharts;  // What all pages are drawn with; goes before their own script.
extern const char* const kReportScript;
extern const char* const kCompareScript;

}  // namespace lb::scenario::page
