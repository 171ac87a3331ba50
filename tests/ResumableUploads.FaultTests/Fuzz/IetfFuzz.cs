using System.Globalization;

namespace ResumableUploads.FaultTests.Fuzz;

/// <summary>Generates valid and malformed requests of all versions of the IETF draft.</summary>
internal static class IetfFuzz
{
    private static readonly string[] Methods = ["GET", "PUT", "POST", "PATCH", "HEAD", "DELETE", "OPTIONS", "TRACE", "patch", "LOCK"];
    private static readonly string[] Numbers =
    [
        "", " ", "+5", "-1", "-0", "1e3", "0x5", "5, 5", "5 5", "007", "1.0", "\u0665", "?1", "\"5\"", ":NQ==:", "999", "1000", "1001", "999999999999999",
        "1000000000000000", "9223372036854775808", "{offset};a=b", "{offset} ;a", "{offset};A", "{length};x=\"y\"",
    ];

    private static readonly string[] Booleans = ["", "?", "?2", "1", "0", "true", "?1, ?0", "?1;x", "?0;y=?1", "?1 ;x", " ?1 ", "\u00e9", "(?1)", "?1;"];
    private static readonly string[] Versions = ["3", "4", "5", "6", "7", "8", "9", "10", "6", "10", "2", "11", "six", "6;a=1", "6, 6", "", "-6", "6.0"];
    private static readonly string[] Types =
        ["application/partial-upload; a=b", "APPLICATION/PARTIAL-UPLOAD", "application/offset+octet-stream", "text/plain", "", ";", "application/partial-uploads"];

    private static readonly string[] Dispositions =
    [
        "attachment; filename=\"a.txt\"", "inline; filename=../../etc/passwd", "attachment; filename*=UTF-8''%e2%82%ac.txt", "attachment; filename*=UTF-8''%ff", "filename=x", ";", "",
        "attachment; filename=\"\u00e9\"", "attachment; filename=\"a\tb\"", "attachment; filename=\"@\"", "attachment; filename*=x'y'z", "attachment; filename=\"CON\"",
    ];

    private static readonly string[] Digests =
        ["sha-256=:{sha256}:", "sha-256=:{sha256}:", "sha-256=:{sha256}:;q=1", "md5=:AAAA:, sha-256=:{sha256}:", "sha-256=:AAAA:", "sha-256={sha256}", "unixsum=:AAAA:", "sha-256", "", "sha-256=:{sha256}:,"];

    private static readonly string[] Wishes = ["sha-256=1", "sha-512=10, sha-256=2", "sha-256=0", "md5=3", "sha-256", "x", "sha-256=1,", "sha-512=11"];

    private static readonly (string, string)[] Strangers =
    [
        ("X-File-Id", "f"), ("X-Start-Byte", "0"), ("Tus-Resumable", "1.0.0"), ("Expect", "100-continue"), ("Range", "bytes=0-5"), ("If-Match", "*"), ("Content-Encoding", "gzip"),
        ("Origin", "https://a.example"), ("Access-Control-Request-Method", "PATCH"), ("Cookie", "a=b"), ("Transfer-Encoding", "chunked"), ("Upload-Metadata", "filename YS50eHQ="),
        ("Upload-Defer-Length", "1"), ("Upload-Concat", "partial"), ("X-HTTP-Method-Override", "PATCH"), ("X-HTTP-Method-Override", "DELETE"), ("X-HTTP-Method-Override", "\u00e9"),
        ("Upload-Offset", "0"), ("Upload-Length", "10"), ("Upload-Complete", "?1"), ("Upload-Incomplete", "?0"), ("Upload-Draft-Interop-Version", "6"), ("X-Forwarded-For", "192.0.2.1"), ("X-Long", "@"),
    ];

    /// <param name="random">The source of randomness.</param>
    /// <param name="number">The index of the request in its set.</param>
    /// <param name="makers">The earlier requests that create uploads. This one is added if it does.</param>
    public static FuzzRequest Next(Random random, int number, List<int> makers)
    {
        var headers = new List<(string Name, string Value)>();
        string? version = random.Next(8) == 0 ? null : Pick(random, Versions);
        if (version is not null)
        {
            headers.Add(("Upload-Draft-Interop-Version", version));
        }

        bool creates = number == 0 || random.Next(5) == 0;
        string method = creates ? random.Next(4) == 0 ? "PUT" : "POST" : random.Next(8) switch { 0 => "HEAD", 1 => "GET", 2 when random.Next(3) == 0 => "DELETE", _ => "PATCH" };
        int target = creates ? FuzzRequest.Creation : makers[^random.Next(1, Math.Min(makers.Count, 6) + 1)];
        if (creates)
        {
            makers.Add(number);
        }

        FuzzBody body = FuzzBody.None;
        if (method is "POST" or "PUT" or "PATCH")
        {
            body = Content(random, headers, version, creates);
        }

        if (Rarely(random))
        {
            method = Pick(random, Methods);
        }

        if (Rarely(random))
        {
            target = random.Next(3) switch { 0 => FuzzRequest.Creation, 1 => FuzzRequest.Unknown, _ => FuzzRequest.Malformed };
        }

        for (int i = random.Next(8) == 0 ? random.Next(1, 3) : 0; i > 0; i--)
        {
            (string name, string value) = Pick(random, Strangers);
            headers.Add((name, value == "@" ? new string('x', 9_000) : value));
        }

        (string, string)[] mixed = [.. headers];
        random.Shuffle(mixed);
        return new FuzzRequest(number, method, target, mixed, body);
    }

    private static FuzzBody Content(Random random, List<(string, string)> headers, string? version, bool creates)
    {
        bool isLast = random.Next(creates ? 5 : 4) == 0;
        if (!Rarely(random))
        {
            headers.Add(version == "3" ? ("Upload-Incomplete", isLast ? "?0" : "?1")
                : ("Upload-Complete", Rarely(random) ? Pick(random, Booleans) : isLast ? "?1" : "?0"));
        }

        if (creates && random.Next(3) == 0)
        {
            headers.Add(("Content-Disposition", Pick(random, Dispositions)));
        }

        if (!creates || random.Next(5) == 0)
        {
            headers.Add(("Content-Type", Rarely(random) ? Pick(random, Types) : creates ? "text/plain" : "application/partial-upload"));
        }

        if (!creates && !Rarely(random))
        {
            headers.Add(("Upload-Offset", Rarely(random) ? Pick(random, Numbers) : random.Next(6) == 0 ? random.Next(200).ToString(CultureInfo.InvariantCulture) : "{offset}"));
        }

        int length = random.Next(6) == 0 ? 0 : random.Next(1, 200);
        if (random.Next(creates ? 2 : 6) == 0)
        {
            headers.Add(("Upload-Length", random.Next(5) switch
            {
                0 => Pick(random, Numbers),
                1 when !creates => "{length}",
                _ => (length + random.Next(100)).ToString(CultureInfo.InvariantCulture),
            }));
        }

        if (random.Next(12) == 0)
        {
            headers.Add((random.Next(3) == 0 ? "Repr-Digest" : "Content-Digest", Pick(random, Digests)));
        }

        if (random.Next(12) == 0)
        {
            headers.Add(("Want-Repr-Digest", Pick(random, Wishes)));
        }

        int? cut = random.Next(10) == 0 ? random.Next(length + 1) : null;
        return new FuzzBody(random.Next(4) == 0 ? null : Rarely(random) ? random.Next(1500) : length, random.Next(2) == 0, cut);
    }

    private static bool Rarely(Random random) => random.Next(15) == 0;

    private static T Pick<T>(Random random, T[] from) => from[random.Next(from.Length)];
}
