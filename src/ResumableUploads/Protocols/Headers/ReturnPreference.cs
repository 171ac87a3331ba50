using Microsoft.Extensions.Primitives;

namespace ResumableUploads.Protocols.Headers;

/// <summary>Parses the preference <c>return</c> (<see href="https://www.rfc-editor.org/rfc/rfc7240#section-4.2">RFC 7240 section 4.2</see>).</summary>
internal static class ReturnPreference
{
    public const string Representation = "return=representation";
    public const string Minimal = "return=minimal";

    private const string Name = "return";

    /// <summary>Returns <see cref="Representation"/> or <see cref="Minimal"/>, or null if the client has no such preference.</summary>
    /// <param name="values">The values of <c>Prefer</c>. Of several preferences with the same name, the first one applies.</param>
    public static string? Parse(StringValues values)
    {
        foreach (string? line in values)
        {
            foreach (string preference in Split(line ?? "", ','))
            {
                // Parameters of the preference follow after a semicolon.
                string pair = Split(preference, ';').First();
                int equals = pair.IndexOf('=', StringComparison.Ordinal);
                if (equals < 0 ? HasText(pair, Name) : HasText(pair[..equals], Name))
                {
                    return Select(equals < 0 ? "" : Unquote(pair[(equals + 1)..].Trim(' ', '\t')));
                }
            }
        }

        return null;
    }

    private static string? Select(string value) =>
        HasText(value, "representation") ? Representation : HasText(value, "minimal") ? Minimal : null;

    private static bool HasText(string text, string expected) => text.Trim(' ', '\t').Equals(expected, StringComparison.OrdinalIgnoreCase);

    private static string Unquote(string value) => value is ['"', .. var text, '"'] ? text.Replace("\\", "", StringComparison.Ordinal) : value;

    /// <summary>Splits a text at a separator that is not part of a quoted string.</summary>
    private static IEnumerable<string> Split(string text, char separator)
    {
        int begin = 0;
        bool isQuoted = false;
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\' && isQuoted)
            {
                i++;
            }
            else if (text[i] == '"')
            {
                isQuoted = !isQuoted;
            }
            else if (text[i] == separator && !isQuoted)
            {
                yield return text[begin..i];
                begin = i + 1;
            }
        }

        yield return text[begin..];
    }
}
