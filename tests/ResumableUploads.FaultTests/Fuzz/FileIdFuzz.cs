using System.Globalization;

namespace ResumableUploads.FaultTests.Fuzz;

/// <summary>Generates valid and malformed requests of the file-id protocol.</summary>
internal static class FileIdFuzz
{
    private static readonly string[] Methods = ["GET", "PUT", "POST", "PATCH", "HEAD", "DELETE", "OPTIONS", "TRACE", "post", "LOCK"];
    private static readonly string[] Ids = ["a", "b", "c", "d", "e"];
    private static readonly string[] OddIds = ["", " ", "..", "../x", "a/b", "%00", "\x7f", "f\u00f6", "\u20ac", "\ud83d\ude00", "a,b", "CON", "'", "\"", "a b"];
    private static readonly string[] Numbers =
        ["", " ", "+5", "-1", "1e3", "0x5", "5,5", "5 5", "007", "1.0", "\u0665", "999", "1000", "1001", "9223372036854775807", "9223372036854775808", "99999999999999999999999"];

    private static readonly string[] Names = ["a.txt", "../../etc/passwd", "a%20b.txt", "%", "%zz", "UTF-8''%e2%82%ac", "\u00f6.txt", "\x01", "CON", "a\tb", "%0d%0aX: y", "@"];
    private static readonly string[] Digests =
        ["sha-256=:AAAA:", "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:", "sha-256", "sha-256=", "sha-256=::", "md5=:AAAA:", ":", "=", "sha-256=:\u00e9:", "sha-256=:"];

    private static readonly (string, string)[] Strangers =
    [
        ("Tus-Resumable", "1.0.0"), ("Upload-Offset", "0"), ("Upload-Length", "10"), ("Upload-Complete", "?1"), ("Upload-Draft-Interop-Version", "6"), ("Expect", "100-continue"),
        ("Range", "bytes=0-5"), ("If-Match", "*"), ("Content-Encoding", "gzip"), ("Origin", "https://a.example"), ("Access-Control-Request-Method", "POST"),
        ("Content-Type", "application/partial-upload"), ("Content-Type", "multipart/form-data"), ("Content-Type", "application/x-www-form-urlencoded"), ("Content-Type", ""),
        ("Cookie", "a=b"), ("Content-Range", "bytes 0-5/10"), ("X-HTTP-Method-Override", "DELETE"), ("X-File-Id", "a"), ("X-Start-Byte", "0"), ("X-File-Size", "10"), ("X-Long", "@"),
    ];

    public static FuzzRequest Next(Random random, int number)
    {
        var headers = new List<(string Name, string Value)>();
        if (!Rarely(random))
        {
            headers.Add(("X-File-Id", Rarely(random) ? Pick(random, OddIds) : Pick(random, Ids)));
        }

        string method = random.Next(12) switch { 0 => "GET", 1 => "DELETE", 2 => "HEAD", 3 => "PUT", 4 => "PATCH", _ => "POST" };
        FuzzBody body = FuzzBody.None;
        int target = method is "GET" or "HEAD" ? FuzzRequest.Status : FuzzRequest.Creation;
        if (method is "POST" or "PUT" or "PATCH")
        {
            body = Chunk(random, headers);
        }

        if (Rarely(random))
        {
            method = Pick(random, Methods);
        }

        if (Rarely(random))
        {
            target = random.Next(2) == 0 ? FuzzRequest.Status : FuzzRequest.Creation;
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

    private static FuzzBody Chunk(Random random, List<(string, string)> headers)
    {
        if (!Rarely(random))
        {
            headers.Add(("X-Start-Byte", Rarely(random) ? Pick(random, Numbers)
                : random.Next(6) == 0 ? random.Next(200).ToString(CultureInfo.InvariantCulture) : "{offset}"));
        }

        if (random.Next(3) > 0)
        {
            headers.Add(("X-File-Size", Rarely(random) ? Pick(random, Numbers) : random.Next(3) switch
            {
                0 => "{length}",
                1 => "150",
                _ => random.Next(300).ToString(CultureInfo.InvariantCulture),
            }));
        }

        if (random.Next(6) == 0)
        {
            string name = Pick(random, Names);
            headers.Add(("X-File-Name", name == "@" ? new string('x', 9_000) : name));
        }

        if (random.Next(12) == 0)
        {
            headers.Add((random.Next(2) == 0 ? "Content-Digest" : "Repr-Digest", Pick(random, Digests)));
        }

        int? length = random.Next(4) switch { 0 => null, 1 => Rarely(random) ? random.Next(1500) : 0, _ => random.Next(80) };
        return new FuzzBody(length, random.Next(2) == 0, random.Next(10) == 0 ? random.Next((length ?? 50) + 1) : null);
    }

    private static bool Rarely(Random random) => random.Next(15) == 0;

    private static T Pick<T>(Random random, T[] from) => from[random.Next(from.Length)];
}
