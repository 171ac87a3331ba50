using System.Text;
using Microsoft.Net.Http.Headers;
using ResumableUploads.Protocols.Headers;

namespace ResumableUploads.Protocols.Ietf;

/// <summary>Reads the file name in <c>Content-Disposition</c> (<see href="https://www.rfc-editor.org/rfc/rfc6266#section-4.3">RFC 6266 section 4.3</see>).</summary>
internal static class ContentDispositionFileName
{
    private const string ParameterName = "filename";

    /// <summary>Returns the file name, or null if the header has none. Like browsers, accepts blanks in a name without quotes.</summary>
    public static string? Get(string value)
    {
        if (!ContentDispositionParser.TryParse(value, out ContentDispositionHeaderValue? disposition)
            && !ContentDispositionParser.TryParse(QuoteNames(value), out disposition))
        {
            return null;
        }

        return disposition.FileNameStar.HasValue
            ? HeaderUtilities.RemoveQuotes(disposition.FileNameStar).ToString()
            : HeaderUtilities.UnescapeAsQuotedString(disposition.FileName).ToString();
    }

    /// <summary>Quotes the file names without quotes. Takes linear time: anyone can send this header, and with blanks up to the limit of the server.</summary>
    private static string QuoteNames(ReadOnlySpan<char> value)
    {
        var quoted = new StringBuilder(value.Length + 2);
        for (int end = 0; end < value.Length;)
        {
            int start = end;
            end = value[(start + 1)..].IndexOf(';') is var length and >= 0 ? start + 1 + length : value.Length;
            AppendParameter(quoted, value[start..end]);
        }

        return quoted.ToString();
    }

    /// <summary>Appends a parameter and the semicolon before it.</summary>
    private static void AppendParameter(StringBuilder quoted, ReadOnlySpan<char> parameter)
    {
        int nameStart = GetNameStart(parameter);
        ReadOnlySpan<char> name = parameter[nameStart..].TrimEnd();
        if (name.IsEmpty || name.Contains('"'))
        {
            quoted.Append(parameter);
            return;
        }

        quoted.Append(parameter[..nameStart])
            .Append('"').Append(name.ToString().Replace("\\", "\\\\", StringComparison.Ordinal)).Append('"')
            .Append(parameter[(nameStart + name.Length)..]);
    }

    /// <summary>Returns the position of the file name in a parameter that begins with a semicolon, or the length of the parameter if it is another one.</summary>
    private static int GetNameStart(ReadOnlySpan<char> parameter)
    {
        ReadOnlySpan<char> rest = parameter is [';', ..] ? parameter[1..].TrimStart() : [];
        rest = rest.StartsWith(ParameterName, StringComparison.OrdinalIgnoreCase) ? rest[ParameterName.Length..].TrimStart() : [];
        rest = rest is ['=', ..] ? rest[1..].TrimStart() : [];
        return parameter.Length - rest.Length;
    }
}
