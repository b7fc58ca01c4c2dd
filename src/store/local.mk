noinst_LIBRARIES += %reldir%/libstore.a
%canon_reldir%_libstore_a_CPPFLAGS = $(base_I) $(mail_I) $(store_I) $(SQLITE_CFLAGS)
%canon_reldir%_libstore_a_SOURCES = \
	%reldir%/annex.c \
	%reldir%/annex.h \
	%reldir%/history.c \
	%reldir%/history.h \
	%reldir%/marks.c \
	%reldir%/marks.h \
	%reldir%/operation.c \
	%reldir%/operation.h \
	%reldir%/reader.c \
	%reldir%/reader.h \
	%reldir%/reserve.c \
	%reldir%/reserve.h \
	%reldir%/schedule.c \
	%reldir%/schedule.h \
	%reldir%/schema.c \
	%reldir%/schema.h \
	%reldir%/spool.c \
	%reldir%/spool.h \
	%reldir%/sql.c \
	%reldir%/sql.h \
	%reldir%/store.c \
	%reldir%/store.h \
	%reldir%/store_id.c \
	%reldir%/store_internal.h \
	%reldir%/store_open.c \
	%reldir%/tables.c \
	%reldir%/tables.h \
	%reldir%/visit.c \
	%reldir%/visit.h \
	%reldir%/writer.c \
	%reldir%/writer.h \
	%reldir%/writer_chores.c \
	%reldir%/writer_group.c \
	%reldir%/writer_inner.h
