using System.Text;
using System.Text.Json;

namespace ResumableUploads.Stores.FileSystem.Format;

/// <summary>
/// Reads fields of a JSON object without building a document. Fields can be read in any order. Reading them in the order of the line is
/// fastest, because the line is parsed only once.
/// </summary>
internal ref struct RecordFieldReader(ReadOnlySpan<byte> line)
{
    private readonly ReadOnlySpan<byte> _line = line;
    private Utf8JsonReader _json = new(line);

    public string? GetString(scoped ReadOnlySpan<byte> name)
    {
        MoveTo(name);
        return _json.GetString();
    }

    public bool StringEquals(scoped ReadOnlySpan<byte> name, scoped ReadOnlySpan<byte> text)
    {
        MoveTo(name);
        return _json.ValueTextEquals(text);
    }

    public long? GetInt64(scoped ReadOnlySpan<byte> name)
    {
        MoveTo(name);
        return _json.TokenType == JsonTokenType.Null ? null : _json.GetInt64();
    }

    public bool GetBoolean(scoped ReadOnlySpan<byte> name)
    {
        MoveTo(name);
        return _json.GetBoolean();
    }

    /// <summary>Returns whether the field that was read last is followed by an optional one with this name.</summary>
    public readonly bool IsNext(scoped ReadOnlySpan<byte> name)
    {
        Utf8JsonReader next = _json;
        return next.Read() && next.TokenType == JsonTokenType.PropertyName && next.ValueTextEquals(name);
    }

    private void MoveTo(scoped ReadOnlySpan<byte> name)
    {
        if (TryMoveTo(name))
        {
            return;
        }

        // The field does not follow the previous one, so search from the start.
        _json = new Utf8JsonReader(_line);
        if (!TryMoveTo(name))
        {
            throw new FormatException($"the field {Encoding.UTF8.GetString(name)} is missing");
        }
    }

    private bool TryMoveTo(scoped ReadOnlySpan<byte> name)
    {
        while (_json.Read())
        {
            if (_json.TokenType != JsonTokenType.PropertyName)
            {
                continue;
            }

            bool matches = _json.ValueTextEquals(name);
            _json.Read();
            if (matches)
            {
                return true;
            }

            _json.Skip();
        }

        return false;
    }
}
