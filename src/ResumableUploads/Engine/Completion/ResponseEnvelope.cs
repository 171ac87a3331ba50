using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace ResumableUploads.Engine.Completion;

/// <summary>The condition of a stored response.</summary>
internal enum ResponseCondition
{
    /// <summary>No response of this upload is stored.</summary>
    Missing,

    /// <summary>The response is as it was stored.</summary>
    Intact,

    /// <summary>A response was stored, and cannot be read any more.</summary>
    Damaged,
}

/// <summary>
/// The format in which responses are stored: a line with a checksum and the time at which the upload was created, and then the response. The time tells a
/// response from one of an earlier upload with the same key. Responses of older versions have no such line.
/// </summary>
internal static class ResponseEnvelope
{
    private const string Prefix = "sha256:";
    private const int HashLength = 2 * SHA256.HashSizeInBytes;
    private const int MaxLineLength = 128;

    private static (ResponseCondition, ReadOnlyMemory<byte>?) Missing => (ResponseCondition.Missing, null);

    private static (ResponseCondition, ReadOnlyMemory<byte>?) Damaged => (ResponseCondition.Damaged, null);

    /// <summary>Adds the checksum to a response.</summary>
    public static ReadOnlyMemory<byte> Seal(ReadOnlyMemory<byte> response, EngineRecord record)
    {
        string created = FormatCreated(record);
        byte[] line = Encoding.ASCII.GetBytes($"{Prefix}{ComputeHash(created, response.Span)} {created}\n");
        byte[] result = new byte[line.Length + response.Length];
        line.CopyTo(result, 0);
        response.CopyTo(result.AsMemory(line.Length));
        return result;
    }

    /// <summary>Verifies a response and removes the checksum.</summary>
    public static (ResponseCondition Condition, ReadOnlyMemory<byte>? Response) Open(ReadOnlyMemory<byte>? stored, EngineRecord record)
    {
        if (stored is not { } bytes)
        {
            return Missing;
        }

        if (bytes.Span.StartsWith((byte)'{'))
        {
            return IsJson(bytes) ? (ResponseCondition.Intact, bytes) : Damaged;
        }

        int end = bytes.Span[..Math.Min(bytes.Length, MaxLineLength)].IndexOf((byte)'\n');
        string line = end < 0 ? "" : Encoding.ASCII.GetString(bytes.Span[..end]);
        if (line.Length <= Prefix.Length + HashLength || !line.StartsWith(Prefix, StringComparison.Ordinal) || line[Prefix.Length + HashLength] != ' ')
        {
            return Damaged;
        }

        ReadOnlyMemory<byte> response = bytes[(end + 1)..];
        string created = line[(Prefix.Length + HashLength + 1)..];
        return line[Prefix.Length..(Prefix.Length + HashLength)] != ComputeHash(created, response.Span) ? Damaged
            : created != FormatCreated(record) ? Missing
            : (ResponseCondition.Intact, response);
    }

    private static string FormatCreated(EngineRecord record) => record.Created.UtcTicks.ToString(CultureInfo.InvariantCulture);

    private static string ComputeHash(string created, ReadOnlySpan<byte> response)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.ASCII.GetBytes(created));
        hash.AppendData(response);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static bool IsJson(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(bytes);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
