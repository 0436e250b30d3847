/*
 * assets.h - the files of src/report/html/, as the build puts them into the program. Constant.
 */
#ifndef REPORT_ASSETS_H
#define REPORT_ASSETS_H

extern const char asset_page[];   /* page.html: the fragments, see page.h */
extern const char asset_style[];  /* style.css */
extern const char asset_script[]; /* script.js */

#endif
