noinst_LIBRARIES += %reldir%/libview.a
%canon_reldir%_libview_a_CPPFLAGS = $(base_I) $(mail_I) $(store_I) $(view_I) $(JANSSON_CFLAGS)
%canon_reldir%_libview_a_SOURCES = \
	%reldir%/listing.c %reldir%/listing.h \
	%reldir%/match.c %reldir%/match.h \
	%reldir%/queue_state.c %reldir%/queue_state.h \
	%reldir%/question.c %reldir%/question.h \
	%reldir%/selection.c %reldir%/selection.h \
	%reldir%/show.c %reldir%/show.h \
	%reldir%/show_json.c
