using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Encodings.Web;

namespace ResumableUploads.Hosting.Dashboard;

/// <summary>Writes HTML by interpolated strings: literal text is markup, and every interpolated value is encoded.</summary>
internal sealed class HtmlWriter
{
    private readonly StringBuilder _text = new();

    /// <summary>Writes markup with encoded values, as a line.</summary>
    /// <returns>The writer.</returns>
    public HtmlWriter Write([InterpolatedStringHandlerArgument("")] Markup markup)
    {
        markup.EndLine();
        return this;
    }

    public override string ToString() => _text.ToString();

    /// <summary>Appends the parts of an interpolated string to a writer.</summary>
    [InterpolatedStringHandler]
    public readonly ref struct Markup
    {
        private readonly HtmlWriter _writer;

        public Markup(int literalLength, int formattedCount, HtmlWriter writer)
        {
            _writer = writer;
            writer._text.EnsureCapacity(writer._text.Length + literalLength + (16 * formattedCount));
        }

        public void AppendLiteral(string value) => _writer._text.Append(value);

        public void AppendFormatted(string? value) => _writer._text.Append(HtmlEncoder.Default.Encode(value ?? ""));

        public void AppendFormatted(long value) => _writer._text.Append(CultureInfo.InvariantCulture, $"{value}");

        public void EndLine() => _writer._text.Append('\n');
    }
}
