using System.Text;
using System.Text.Json;

namespace ResumableUploads.Stores.FileSystem.Format;

/// <summary>
/// Finds the fields of a line of JSON without making a document of it. They may stand in any order, with others between them; who asks for them in
/// the order in which they stand has the line read once.
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

    private void MoveTo(scoped ReadOnlySpan<byte> name)
    {
        if (TryMoveTo(name))
        {
            return;
        }

        // Not behind the last one.
        _json = new Utf8JsonReader(_line);
        if (!TryMoveTo(name))
        {
            throw new FormatException($"no {Encoding.UTF8.GetString(name)}");
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

            bool isIt = _json.ValueTextEquals(name);
            _json.Read();
            if (isIt)
            {
                return true;
            }

            _json.Skip();
        }

        return false;
    }
}
