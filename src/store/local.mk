noinst_LIBRARIES += %reldir%/libstore.a
%canon_reldir%_libstore_a_CPPFLAGS = $(base_I) $(mail_I) $(store_I) $(SQLITE_CFLAGS)
%canon_reldir%_libstore_a_SOURCES = \
	%reldir%/schedule.h \
	%reldir%/store.h
