# What `cmake --install` lays down, and the Debian package that `cpack` makes of it.
include(GNUInstallDirs)

# Manual page and completions are printed by the program itself, from its tables.
set(generated "${CMAKE_BINARY_DIR}/generated")
set(documents)
foreach(pair man:pxload.1 bash:pxload zsh:_pxload fish:pxload.fish)
  string(REGEX MATCH "^([^:]+):(.+)$" _ "${pair}")
  set(document "${generated}/${CMAKE_MATCH_1}/${CMAKE_MATCH_2}")
  add_custom_command(OUTPUT "${document}"
    COMMAND ${CMAKE_COMMAND} -E make_directory "${generated}/${CMAKE_MATCH_1}"
    COMMAND pxload help --format ${CMAKE_MATCH_1} > "${document}"
    DEPENDS pxload VERBATIM)
  list(APPEND documents "${document}")
endforeach()
add_custom_command(OUTPUT "${generated}/man/pxload.1.gz"
  COMMAND gzip -9nc "${generated}/man/pxload.1" > "${generated}/man/pxload.1.gz"
  DEPENDS "${generated}/man/pxload.1" VERBATIM)
add_custom_target(documents ALL DEPENDS ${documents} "${generated}/man/pxload.1.gz")

install(TARGETS pxload pxm-sim RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES "${generated}/man/pxload.1.gz" DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES "${generated}/bash/pxload"
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES "${generated}/zsh/_pxload"
  DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
install(FILES "${generated}/fish/pxload.fish"
  DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
install(FILES README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES packaging/copyright DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES packaging/pxload@.service packaging/config.example
  DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME pxload)
set(CPACK_PACKAGE_VERSION ${PXLOAD_VERSION})
set(CPACK_PACKAGE_CONTACT "The pxload authors <pxload@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "bulk asset uploader for PXM")
set(CPACK_PACKAGE_DESCRIPTION "Uploads a folder tree of images, videos and documents into PXM:
every file once, none lost, none doubled. Plans before it sends, keeps to the
API's request limit, resumes after a kill or a power cut, and reports every file.
pxm-sim, a stand-in for a PXM tenant to rehearse against, is part of it.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS ca-certificates)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
