using System.Text;
using Spectre.Console;

namespace ResumableUploads.Cli.Output;

/// <summary>The terminal without its last columns. The terminal prints <c>^C</c> at the cursor: at the end of a full line, that would start another line, and the bars would be drawn one line too low.</summary>
internal sealed class TerminalDevice(TextWriter writer) : IAnsiConsoleOutput
{
    private const int Margin = 3;
    private const int MinWidth = 20;
    private readonly AnsiConsoleOutput _inner = new(writer);

    public TextWriter Writer => _inner.Writer;

    public bool IsTerminal => _inner.IsTerminal;

    public int Width => Math.Max(MinWidth, _inner.Width - Margin);

    public int Height => _inner.Height;

    public void SetEncoding(Encoding encoding) => _inner.SetEncoding(encoding);
}
