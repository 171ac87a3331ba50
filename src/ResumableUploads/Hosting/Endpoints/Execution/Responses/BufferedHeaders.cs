using System.Collections;
using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace ResumableUploads.Hosting.Endpoints.Execution.Responses;

/// <summary>
/// The headers of a buffered response. They accept what the headers of the server accept and throw the same exceptions, so that a value that the server
/// cannot send fails where the endpoint sets it, as in a plain request, and is never stored.
/// </summary>
internal sealed class BufferedHeaders : IHeaderDictionary
{
    private readonly HeaderDictionary _headers = [];
    private readonly IHeaderDictionary _serverHeaders;

    /// <summary>Creates a copy of the headers of the server's response, which are left unchanged.</summary>
    public BufferedHeaders(IHeaderDictionary serverHeaders)
    {
        _serverHeaders = serverHeaders;
        foreach ((string name, StringValues value) in serverHeaders)
        {
            _headers[name] = value;
        }
    }

    public StringValues this[string key]
    {
        get => _headers[key];
        set
        {
            ThrowIfRejectedByServer(key, value);
            _headers[key] = value;
        }
    }

    public long? ContentLength
    {
        get => _headers.ContentLength;
        set => _headers.ContentLength = value;
    }

    public ICollection<string> Keys => _headers.Keys;

    public ICollection<StringValues> Values => _headers.Values;

    public int Count => _headers.Count;

    public bool IsReadOnly
    {
        get => _headers.IsReadOnly;
        set => _headers.IsReadOnly = value;
    }

    public void Add(string key, StringValues value)
    {
        ThrowIfRejectedByServer(key, value);
        _headers.Add(key, value);
    }

    public void Add(KeyValuePair<string, StringValues> item) => Add(item.Key, item.Value);

    public bool Remove(string key) => _headers.Remove(key);

    public bool Remove(KeyValuePair<string, StringValues> item) => _headers.Remove(item);

    public void Clear() => _headers.Clear();

    public bool ContainsKey(string key) => _headers.ContainsKey(key);

    public bool Contains(KeyValuePair<string, StringValues> item) => _headers.Contains(item);

    public bool TryGetValue(string key, [MaybeNullWhen(false)] out StringValues value) => _headers.TryGetValue(key, out value);

    public void CopyTo(KeyValuePair<string, StringValues>[] array, int arrayIndex) => _headers.CopyTo(array, arrayIndex);

    public IEnumerator<KeyValuePair<string, StringValues>> GetEnumerator() => _headers.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private void ThrowIfRejectedByServer(string key, StringValues value)
    {
        if (_serverHeaders.IsReadOnly)
        {
            return;
        }

        StringValues previous = _serverHeaders[key];
        try
        {
            _serverHeaders[key] = value;
        }
        finally
        {
            _serverHeaders[key] = previous;
        }
    }
}
