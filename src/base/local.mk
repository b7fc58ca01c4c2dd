noinst_LIBRARIES += %reldir%/libbase.a
%canon_reldir%_libbase_a_CPPFLAGS = $(base_I)
%canon_reldir%_libbase_a_SOURCES = \
	%reldir%/argv.c %reldir%/argv.h \
	%reldir%/attr.h \
	%reldir%/base64.c %reldir%/base64.h \
	%reldir%/buf.c %reldir%/buf.h \
	%reldir%/clock.c %reldir%/clock.h \
	%reldir%/err.c %reldir%/err.h \
	%reldir%/fault.c %reldir%/fault.h \
	%reldir%/log.c %reldir%/log.h \
	%reldir%/mem.c %reldir%/mem.h \
	%reldir%/printable.c %reldir%/printable.h \
	%reldir%/private_file.c %reldir%/private_file.h \
	%reldir%/sockname.c %reldir%/sockname.h \
	%reldir%/str.c %reldir%/str.h \
	%reldir%/xtext.c %reldir%/xtext.h
