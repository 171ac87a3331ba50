using System.Buffers;

namespace ResumableUploads.Cli.CommandLine;

/// <summary>Parses request headers of the form <c>Name: value</c>.</summary>
internal static class HeaderList
{
    private static readonly SearchValues<char> TokenCharacters =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    /// <summary>Parses lines. Empty lines and lines that start with <c>#</c> are ignored.</summary>
    /// <param name="lines">The lines.</param>
    /// <param name="origin">Where the lines come from, for messages.</param>
    /// <exception cref="UsageException">A line is invalid, or two have the same name.</exception>
    public static Dictionary<string, string> Parse(IEnumerable<string> lines, string origin)
    {
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (string line in lines.Select(static line => line.Trim()).Where(static line => line.Length > 0 && line[0] != '#'))
        {
            (string name, string value) = ParseLine(line, origin);
            if (!headers.TryAdd(name, value))
            {
                throw new UsageException($"{origin}: The header {name} is given twice.");
            }
        }

        return headers;
    }

    // The message does not contain the line: it can be a secret, and a log can keep the message.
    private static (string Name, string Value) ParseLine(string line, string origin)
    {
        int colon = line.IndexOf(':', StringComparison.Ordinal);
        string name = colon < 0 ? "" : line[..colon];
        string value = line[(colon + 1)..].Trim();
        if (name.Length == 0 || name.AsSpan().ContainsAnyExcept(TokenCharacters))
        {
            throw new UsageException($"{origin}: A header must have the form 'Name: value'.");
        }

        return value.All(static c => c is >= ' ' and <= '~' or '\t')
            ? (name, value)
            : throw new UsageException($"{origin}: The value of the header {name} has characters that are not printable ASCII.");
    }
}
