# Writes files as C arrays, each with a NUL behind it:
#   cmake -DOUT=assets.c -DHEADER=report/assets.h "-DFILES=asset_page=page.html;..." -P embed.cmake
set(text "/* Made by cmake/embed.cmake; the files themselves are in src/. */\n#include \"${HEADER}\"\n")
foreach(pair IN LISTS FILES)
  string(REGEX MATCH "^([^=]+)=(.*)$" _ "${pair}")
  set(name "${CMAKE_MATCH_1}")
  file(READ "${CMAKE_MATCH_2}" hex HEX)
  string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," hex "${hex}")
  string(APPEND text "const char ${name}[] = {\n${hex}0};\n")
endforeach()
file(WRITE "${OUT}" "${text}")
