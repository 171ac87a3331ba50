using System.Text.Json;

namespace ResumableUploads.Client.Protocols;

/// <summary>A problem (RFC 9457) that a server has reported.</summary>
internal sealed record ServerProblem(string Type, string? Title, string? Detail, long? ExpectedOffset)
{
    private const string OwnPrefix = "urn:resumable-uploads:";
    private const string RegisteredPrefix = "https://iana.org/assignments/http-problem-types#";

    /// <summary>Gets the type without its prefix, or null if it is not one of an upload server.</summary>
    public string? ShortType =>
        Type.StartsWith(OwnPrefix, StringComparison.Ordinal) ? Type[OwnPrefix.Length..]
        : Type.StartsWith(RegisteredPrefix, StringComparison.Ordinal) ? Type[RegisteredPrefix.Length..]
        : null;

    /// <summary>Returns the problem of a body, or null if it is not a valid one.</summary>
    public static ServerProblem? Parse(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            JsonElement root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
            {
                return null;
            }

            long? offset = root.TryGetProperty("expected-offset", out JsonElement number) && number.ValueKind == JsonValueKind.Number && number.TryGetInt64(out long value) && value >= 0 ? value : null;
            return new ServerProblem(GetText(root, "type") ?? "about:blank", GetText(root, "title"), GetText(root, "detail"), offset);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string? GetText(JsonElement root, string name) =>
        root.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
