using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;

namespace ResumableUploads.Testing.S3;

/// <summary>The objects of a bucket. One request at a time takes effect.</summary>
internal sealed class FakeBucket
{
    private const int MinPartLength = 5 * 1024 * 1024;

    private readonly SortedDictionary<string, StoredObject> _objects = new(StringComparer.Ordinal);
    private readonly Dictionary<string, MultipartUpload> _uploads = [];

    public IReadOnlyList<string> GetKeys(string prefix, string startAfter)
    {
        lock (_objects)
        {
            return [.. _objects.Keys.Where(key => key.StartsWith(prefix, StringComparison.Ordinal) && string.CompareOrdinal(key, startAfter) > 0)];
        }
    }

    public FakeS3Response Handle(FakeS3Request request, bool ignoresPutConditions, bool ignoresDeleteConditions, Func<string, FakeBucket> find)
    {
        StoredObject? source = null;
        if (request.Headers.TryGetValue("x-amz-copy-source", out Microsoft.Extensions.Primitives.StringValues copySource))
        {
            string[] path = Uri.UnescapeDataString(copySource.ToString()).TrimStart('/').Split('/', 2);
            FakeBucket from = find(path[0]);
            lock (from._objects)
            {
                if (!from._objects.TryGetValue(path[1], out source))
                {
                    return FakeS3Response.Error(404, "NoSuchKey");
                }
            }
        }

        lock (_objects)
        {
            return (request.Method, request.Key) switch
            {
                ("GET", "") => List(request),
                ("POST", "") => DeleteMany(request),
                ("GET" or "HEAD", _) => Get(request),
                ("PUT", _) when request.Query.ContainsKey("partNumber") => PutPart(request, source),
                ("PUT", _) => Put(request, ignoresPutConditions, request.Body, []),
                ("POST", _) when request.Query.ContainsKey("uploads") => StartUpload(request),
                ("POST", _) => CompleteUpload(request, ignoresPutConditions),
                ("DELETE", _) when request.Query.TryGetValue("uploadId", out var id) => FakeS3Response.Empty(_uploads.Remove(id!) ? 204 : 404),
                ("DELETE", _) => Delete(request, ignoresDeleteConditions),
                _ => FakeS3Response.Error(501, "NotImplemented"),
            };
        }
    }

    /// <summary>Returns the answer to a request whose condition is not met, or <see langword="null"/>.</summary>
    public FakeS3Response? Check(FakeS3Request request)
    {
        lock (_objects)
        {
            return CheckConditions(request);
        }
    }

    /// <summary>Returns the answer to a write, without writing. It has the entity tag of the current object.</summary>
    public FakeS3Response Ignore(FakeS3Request request)
    {
        lock (_objects)
        {
            return CheckConditions(request) ?? FakeS3Response.Empty(200, _objects.GetValueOrDefault(request.Key)?.ETag ?? Hash(request.Body));
        }
    }

    private FakeS3Response? CheckConditions(FakeS3Request request)
    {
        _objects.TryGetValue(request.Key, out StoredObject? current);
        return request.IfNoneMatch == "*" && current is not null ? FakeS3Response.Error(412, "PreconditionFailed")
            : request.IfMatch is null ? null
            : current is null ? FakeS3Response.Error(404, "NoSuchKey")
            : current.ETag.Trim('"') != request.IfMatch.Trim('"') ? FakeS3Response.Error(412, "PreconditionFailed")
            : null;
    }

    private FakeS3Response Put(FakeS3Request request, bool ignoresConditions, byte[] content, Dictionary<string, string> metadata)
    {
        if (!ignoresConditions && CheckConditions(request) is { } refused)
        {
            return refused;
        }

        foreach ((string name, Microsoft.Extensions.Primitives.StringValues value) in request.Headers.Where(static header => header.Key.StartsWith("x-amz-meta-", StringComparison.OrdinalIgnoreCase)))
        {
            metadata[name] = value.ToString();
        }

        var stored = new StoredObject(content, Hash(content), metadata);
        _objects[request.Key] = stored;
        return FakeS3Response.Empty(200, stored.ETag);
    }

    private FakeS3Response Get(FakeS3Request request)
    {
        if (!_objects.TryGetValue(request.Key, out StoredObject? found))
        {
            return FakeS3Response.Error(404, "NoSuchKey");
        }

        var headers = new Dictionary<string, string>(found.Metadata) { ["ETag"] = found.ETag, ["Last-Modified"] = "Wed, 02 Jan 2030 03:04:05 GMT", ["Content-Type"] = "application/octet-stream" };
        byte[] body = found.Content;
        int status = 200;
        if (request.Headers.Range is [{ } range])
        {
            long[] limits = [.. range["bytes=".Length..].Split('-').Select(static limit => long.Parse(limit, CultureInfo.InvariantCulture))];
            (int first, int last) = ((int)limits[0], (int)Math.Min(limits[1], body.Length - 1));
            headers["Content-Range"] = $"bytes {first}-{last}/{body.Length}";
            (status, body) = (206, body[first..(last + 1)]);
        }

        headers["Content-Length"] = body.Length.ToString(CultureInfo.InvariantCulture);
        return new FakeS3Response(status, body, headers);
    }

    private FakeS3Response Delete(FakeS3Request request, bool ignoresConditions)
    {
        if (!ignoresConditions && CheckConditions(request) is { } refused)
        {
            return refused;
        }

        _objects.Remove(request.Key);
        return FakeS3Response.Empty(204);
    }

    private FakeS3Response DeleteMany(FakeS3Request request)
    {
        foreach (XElement key in XDocument.Parse(Encoding.UTF8.GetString(request.Body)).Descendants().Where(static element => element.Name.LocalName == "Key"))
        {
            _objects.Remove(key.Value);
        }

        return FakeS3Response.Xml("<DeleteResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"></DeleteResult>");
    }

    private FakeS3Response List(FakeS3Request request)
    {
        // Small pages, so that the store has to continue.
        const int PageSize = 7;
        string prefix = request.Query["prefix"].ToString();
        string start = request.Query["continuation-token"] is [{ } token] ? token : request.Query["start-after"].ToString();
        List<string> keys = [.. GetKeys(prefix, start).Take(PageSize + 1)];
        bool isTruncated = keys.Count > PageSize;
        var xml = new StringBuilder("<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
        xml.Append(CultureInfo.InvariantCulture, $"<IsTruncated>{(isTruncated ? "true" : "false")}</IsTruncated>");
        foreach (string key in keys.Take(PageSize))
        {
            StoredObject stored = _objects[key];
            xml.Append(CultureInfo.InvariantCulture, $"<Contents><Key>{key}</Key><ETag>{stored.ETag.Replace("\"", "&quot;")}</ETag><Size>{stored.Content.Length}</Size><LastModified>2030-01-02T03:04:05.000Z</LastModified></Contents>");
        }

        if (isTruncated)
        {
            xml.Append(CultureInfo.InvariantCulture, $"<NextContinuationToken>{keys[PageSize - 1]}</NextContinuationToken>");
        }

        return FakeS3Response.Xml(xml.Append("</ListBucketResult>").ToString());
    }

    private FakeS3Response StartUpload(FakeS3Request request)
    {
        string id = Guid.NewGuid().ToString("N");
        _uploads[id] = new MultipartUpload(
            request.Headers.Where(static header => header.Key.StartsWith("x-amz-meta-", StringComparison.OrdinalIgnoreCase)).ToDictionary(static header => header.Key, static header => header.Value.ToString()));
        return FakeS3Response.Xml(
            $"<InitiateMultipartUploadResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Bucket>{request.Bucket}</Bucket><Key>{request.Key}</Key><UploadId>{id}</UploadId></InitiateMultipartUploadResult>");
    }

    private FakeS3Response PutPart(FakeS3Request request, StoredObject? source)
    {
        if (!_uploads.TryGetValue(request.Query["uploadId"]!, out MultipartUpload? upload))
        {
            return FakeS3Response.Error(404, "NoSuchUpload");
        }

        byte[] content = request.Body;
        if (source is not null)
        {
            content = source.Content;
            if (request.Headers["x-amz-copy-source-range"] is [{ } range])
            {
                int[] limits = [.. range["bytes=".Length..].Split('-').Select(static limit => int.Parse(limit, CultureInfo.InvariantCulture))];
                content = content[limits[0]..(limits[1] + 1)];
            }
        }

        upload.Parts[int.Parse(request.Query["partNumber"]!, CultureInfo.InvariantCulture)] = content;
        return source is null
            ? FakeS3Response.Empty(200, Hash(content))
            : FakeS3Response.Xml($"<CopyPartResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><ETag>{Hash(content).Replace("\"", "&quot;")}</ETag><LastModified>2030-01-02T03:04:05.000Z</LastModified></CopyPartResult>");
    }

    private FakeS3Response CompleteUpload(FakeS3Request request, bool ignoresConditions)
    {
        if (!_uploads.TryGetValue(request.Query["uploadId"]!, out MultipartUpload? upload))
        {
            return FakeS3Response.Error(404, "NoSuchUpload");
        }

        if (upload.Parts.SkipLast(1).Any(static part => part.Value.Length < MinPartLength))
        {
            return FakeS3Response.Error(400, "EntityTooSmall");
        }

        FakeS3Response response = Put(request, ignoresConditions, [.. upload.Parts.Values.SelectMany(static part => part)], upload.Metadata);
        if (response.Status != 200)
        {
            return response;
        }

        _uploads.Remove(request.Query["uploadId"]!);
        return FakeS3Response.Xml(
            $"<CompleteMultipartUploadResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Bucket>{request.Bucket}</Bucket><Key>{request.Key}</Key><ETag>{response.Headers["ETag"].Replace("\"", "&quot;")}</ETag></CompleteMultipartUploadResult>");
    }

#pragma warning disable CA5351 // The entity tag of S3 is the MD5 of the content.
    private static string Hash(byte[] content) => $"\"{Convert.ToHexStringLower(MD5.HashData(content))}\"";
#pragma warning restore CA5351

    private sealed record StoredObject(byte[] Content, string ETag, Dictionary<string, string> Metadata);

    private sealed record MultipartUpload(Dictionary<string, string> Metadata)
    {
        public SortedDictionary<int, byte[]> Parts { get; } = [];
    }
}
