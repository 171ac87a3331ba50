namespace ResumableUploads.FaultTests.Fuzz;

/// <summary>Generates valid and malformed tus requests.</summary>
internal static class TusFuzz
{
    private static readonly string[] Methods = ["GET", "PUT", "POST", "PATCH", "HEAD", "DELETE", "OPTIONS", "TRACE", "patch", "LOCK"];
    private static readonly string[] Numbers =
        ["", " ", "+5", "-1", "1e3", "0x5", "5,5", "5 5", "007", "1.0", "\u0665", "999", "1000", "1001", "9223372036854775807", "9223372036854775808", "99999999999999999999999"];

    private static readonly string[] Versions = ["", "1.0", "0.2.2", "1.0.0,1.0.0", "2.0.0", "\u00ff"];
    private static readonly string[] Types =
        ["application/offset+octet-stream; a=b", "APPLICATION/OFFSET+OCTET-STREAM", "application/octet-stream", "text/plain", "", ";", "application/partial-upload"];

    private static readonly string[] Metadata =
    [
        "filename YS50eHQ=", "filename YS50eHQ=,filetype dGV4dC9wbGFpbg==", "name Li4vLi4vZXRjL3Bhc3N3ZA==", "filename AAEC/w==", "filename /////w==", "k", "k ,l", ",", "k,,l", "k k k", "k =", "k,k",
        "filename\x7f YQ==", "filename Y\tQ==", "\u00e9 YQ==", "filename \u00e9", "\x01 YQ==", "filename " , "filetype DQpYOiB5", "filename DQpYOiB5", "filename 8J+YgC50eHQ=",
        "k,", "k , ,", "filename YS50eHQ", "filename YS50eHQ=\t,\tfiletype dGV4dA", "filename /w", "filename !", "filetype /w==", "k ====", ",k",
    ];

    private static readonly string[] Checksums =
    [
        "sha1 {sha1}", "sha1 {sha1}", "sha1 AAAAAAAAAAAAAAAAAAAAAAAAAAA=", "SHA1 {sha1}", "sha1", "sha1 ", " {sha1}", "sha3 {sha1}", "sha256 {sha1}", "md5 AAAA", "crc32 AAAAAA==", "sha1 {sha1} x", "sha1 \u00e9", "",
    ];

    private static readonly (string, string)[] Strangers =
    [
        ("X-File-Id", "f"), ("X-Start-Byte", "0"), ("X-File-Size", "10"), ("Upload-Complete", "?1"), ("Upload-Incomplete", "?0"), ("Upload-Draft-Interop-Version", "6"), ("Expect", "100-continue"),
        ("Range", "bytes=0-5"), ("If-Match", "*"), ("Content-Encoding", "gzip"), ("Origin", "https://a.example"), ("Access-Control-Request-Method", "PATCH"),
        ("Content-Digest", "sha-256=:AAAA:"), ("Repr-Digest", "sha-256=:AAAA:"), ("Upload-Concat", "final"), ("Upload-Concat", "final;"), ("Upload-Concat", "maybe"),
        ("Cookie", "a=b"), ("Transfer-Encoding", "chunked"), ("Trailer", "X"), ("Upload-Expires", "x"), ("Upload-Metadata", "again"), ("Tus-Resumable", "1.0.0"),
        ("Upload-Offset", "0"), ("Upload-Length", "10"), ("Upload-Defer-Length", "1"), ("X-HTTP-Method-Override", "PATCH"), ("X-HTTP-Method-Override", "DELETE"), ("X-HTTP-Method-Override", "head"), ("X-HTTP-Method-Override", "\u00e9"), ("X-Long", "@"),
    ];

    /// <param name="random">The source of randomness.</param>
    /// <param name="number">The index of the request in its set.</param>
    /// <param name="makers">The earlier requests that create uploads. This one is added if it does.</param>
    public static FuzzRequest Next(Random random, int number, List<int> makers)
    {
        var headers = new List<(string Name, string Value)>();
        if (!Rarely(random))
        {
            headers.Add(("Tus-Resumable", Rarely(random) ? Pick(random, Versions) : "1.0.0"));
        }

        bool creates = number == 0 || random.Next(5) == 0;
        string method = creates ? "POST" : random.Next(8) switch { 0 => "HEAD", 1 when random.Next(3) == 0 => "DELETE", _ => "PATCH" };
        int target = creates ? FuzzRequest.Creation : makers[^random.Next(1, Math.Min(makers.Count, 6) + 1)];
        if (creates)
        {
            makers.Add(number);
        }

        FuzzBody body = creates ? Creation(random, headers) : method == "PATCH" ? Chunk(random, headers) : FuzzBody.None;
        if (Rarely(random))
        {
            method = Pick(random, Methods);
        }

        if (Rarely(random))
        {
            target = random.Next(3) switch { 0 => FuzzRequest.Creation, 1 => FuzzRequest.Unknown, _ => FuzzRequest.Malformed };
        }

        string? trailer = null;
        if (body != FuzzBody.None || random.Next(10) == 0)
        {
            Checksum(random, headers, ref trailer);
        }

        for (int i = random.Next(8) == 0 ? random.Next(1, 3) : 0; i > 0; i--)
        {
            (string name, string value) = Pick(random, Strangers);
            headers.Add((name, value == "@" ? new string('x', 9_000) : value));
        }

        (string, string)[] mixed = [.. headers];
        random.Shuffle(mixed);
        return new FuzzRequest(number, method, target, mixed, body) { Trailer = trailer };
    }

    private static FuzzBody Creation(Random random, List<(string, string)> headers)
    {
        int length = random.Next(6) == 0 ? 0 : random.Next(1, 200);
        bool isDeferred = random.Next(4) == 0;
        if (!Rarely(random))
        {
            headers.Add(isDeferred ? ("Upload-Defer-Length", Rarely(random) ? Pick(random, Numbers) : "1")
                : ("Upload-Length", Rarely(random) ? Pick(random, Numbers) : length.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        }

        if (random.Next(3) == 0)
        {
            headers.Add(("Upload-Metadata", Pick(random, Metadata)));
        }

        if (random.Next(3) > 0)
        {
            return FuzzBody.None;
        }

        AddType(random, headers);
        return Body(random, Rarely(random) ? random.Next(1500) : random.Next(length + 1));
    }

    private static FuzzBody Chunk(Random random, List<(string, string)> headers)
    {
        AddType(random, headers);
        if (!Rarely(random))
        {
            headers.Add(("Upload-Offset", Rarely(random) ? Pick(random, Numbers) : random.Next(6) == 0 ? random.Next(200).ToString(System.Globalization.CultureInfo.InvariantCulture) : "{offset}"));
        }

        if (random.Next(5) == 0)
        {
            headers.Add(("Upload-Length", random.Next(3) switch
            {
                0 => Pick(random, Numbers),
                1 => "{length}",
                _ => random.Next(300).ToString(System.Globalization.CultureInfo.InvariantCulture),
            }));
        }

        return random.Next(4) switch
        {
            0 => Body(random, null),
            1 => Body(random, Rarely(random) ? random.Next(1500) : 0),
            _ => Body(random, random.Next(80)),
        };
    }

    private static void Checksum(Random random, List<(string, string)> headers, ref string? trailer)
    {
        switch (random.Next(12))
        {
            case 0:
                headers.Add(("Upload-Checksum", Pick(random, Checksums)));
                break;
            case 1:
                headers.Add(("Trailer", random.Next(2) == 0 ? "Upload-Checksum" : "X-A, upload-checksum"));
                trailer = random.Next(4) == 0 ? null : Pick(random, Checksums);
                break;
        }
    }

    private static FuzzBody Body(Random random, int? length)
    {
        int? cut = random.Next(10) == 0 ? random.Next((length ?? 50) + 1) : null;
        return new FuzzBody(length, random.Next(2) == 0, cut);
    }

    private static void AddType(Random random, List<(string, string)> headers)
    {
        if (!Rarely(random))
        {
            headers.Add(("Content-Type", Rarely(random) ? Pick(random, Types) : "application/offset+octet-stream"));
        }
    }

    private static bool Rarely(Random random) => random.Next(15) == 0;

    private static T Pick<T>(Random random, T[] from) => from[random.Next(from.Length)];
}
