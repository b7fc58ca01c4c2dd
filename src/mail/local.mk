noinst_LIBRARIES += %reldir%/libmail.a
%canon_reldir%_libmail_a_CPPFLAGS = $(base_I) $(mail_I)
%canon_reldir%_libmail_a_SOURCES = \
	%reldir%/address.c %reldir%/address.h \
	%reldir%/address_list.c \
	%reldir%/address_set.c %reldir%/address_set.h \
	%reldir%/alias.c %reldir%/alias.h \
	%reldir%/alias_reader.c \
	%reldir%/date.c %reldir%/date.h \
	%reldir%/fit.c %reldir%/fit.h \
	%reldir%/fixup.c %reldir%/fixup.h \
	%reldir%/fold.c %reldir%/fold.h \
	%reldir%/header.c %reldir%/header.h \
	%reldir%/line_limit.c %reldir%/line_limit.h \
	%reldir%/mime.c %reldir%/mime.h \
	%reldir%/pattern.c %reldir%/pattern.h \
	%reldir%/report.c %reldir%/report.h %reldir%/report_part.h \
	%reldir%/report_original.c %reldir%/report_status.c %reldir%/report_text.c \
	%reldir%/transfer.c %reldir%/transfer.h
