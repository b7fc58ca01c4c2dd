noinst_LIBRARIES += %reldir%/libmail.a
%canon_reldir%_libmail_a_CPPFLAGS = $(base_I) $(mail_I)
%canon_reldir%_libmail_a_SOURCES = \
	%reldir%/address.h \
	%reldir%/date.h \
	%reldir%/fixup.h \
	%reldir%/header.h \
	%reldir%/report.h
