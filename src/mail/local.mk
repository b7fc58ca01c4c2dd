noinst_LIBRARIES += %reldir%/libmail.a
%canon_reldir%_libmail_a_CPPFLAGS = $(base_I) $(mail_I)
%canon_reldir%_libmail_a_SOURCES = \
	%reldir%/address.c %reldir%/address.h \
	%reldir%/address_list.c \
	%reldir%/date.c %reldir%/date.h \
	%reldir%/fixup.c %reldir%/fixup.h \
	%reldir%/header.c %reldir%/header.h \
	%reldir%/report.c %reldir%/report.h
