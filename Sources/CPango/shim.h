#pragma once

// The few functions of Pango (1.44 and later) that text setting needs, declared here because pango.pc asks for the compiler flag
// -pthread (through gio), which Swift packages prohibit. The binary interface of these functions has not changed since Pango 1.0
// (pango_context_set_round_glyph_positions: 1.44).

typedef struct _cairo cairo_t;
typedef struct _cairo_font_options cairo_font_options_t;

typedef struct _PangoContext PangoContext;
typedef struct _PangoLayout PangoLayout;
typedef struct _PangoLanguage PangoLanguage;
typedef struct _PangoFontMap PangoFontMap;
typedef struct _PangoFontFamily PangoFontFamily;
typedef struct _PangoFontDescription PangoFontDescription;

typedef struct { int x, y, width, height; } PangoRectangle;

// The public head of the structure; more fields follow, and only pointers to it are ever passed.
typedef struct {
    PangoLayout *layout;
    int start_index;
    int length;
} PangoLayoutLine;

// One point in Pango's fixed-point units.
#define PANGO_SCALE 1024
#define PANGO_WEIGHT_BOLD 700
#define PANGO_STYLE_ITALIC 2
#define PANGO_WRAP_WORD_CHAR 2

PangoFontMap *pango_cairo_font_map_get_default(void);
PangoContext *pango_font_map_create_context(PangoFontMap *);
void pango_font_map_list_families(PangoFontMap *, PangoFontFamily ***families, int *count);
const char *pango_font_family_get_name(PangoFontFamily *);

PangoLanguage *pango_language_from_string(const char *);
void pango_context_set_language(PangoContext *, PangoLanguage *);
void pango_context_set_round_glyph_positions(PangoContext *, int);
void pango_cairo_context_set_font_options(PangoContext *, const cairo_font_options_t *);

PangoFontDescription *pango_font_description_new(void);
void pango_font_description_free(PangoFontDescription *);
void pango_font_description_set_family(PangoFontDescription *, const char *);
void pango_font_description_set_absolute_size(PangoFontDescription *, double);
void pango_font_description_set_weight(PangoFontDescription *, int);
void pango_font_description_set_style(PangoFontDescription *, int);

PangoLayout *pango_layout_new(PangoContext *);
void pango_layout_set_font_description(PangoLayout *, const PangoFontDescription *);
void pango_layout_set_single_paragraph_mode(PangoLayout *, int);
void pango_layout_set_text(PangoLayout *, const char *, int length);
void pango_layout_set_width(PangoLayout *, int);
void pango_layout_set_wrap(PangoLayout *, int);
int pango_layout_get_unknown_glyphs_count(PangoLayout *);
int pango_layout_get_line_count(PangoLayout *);
PangoLayoutLine *pango_layout_get_line_readonly(PangoLayout *, int);
void pango_layout_line_get_extents(PangoLayoutLine *, PangoRectangle *ink, PangoRectangle *logical);
void pango_cairo_layout_line_path(cairo_t *, PangoLayoutLine *);
void pango_cairo_show_layout_line(cairo_t *, PangoLayoutLine *);

void g_object_unref(void *);
void g_free(void *);
