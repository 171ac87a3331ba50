using ResumableUploads.Abstractions;
using ResumableUploads.Hosting.Ownership;

namespace ResumableUploads.FaultTests.Fuzz;

/// <summary>A protocol as it is fuzzed.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Offset">The header in which a body says where it begins.</param>
/// <param name="Next">Makes a request.</param>
/// <param name="KeyOf">The key of an upload that the server has named; null where clients name them.</param>
/// <param name="Reached">The statuses that are the answer often, so that it is known that not all was refused at the door.</param>
internal sealed record FuzzProtocol(
    string Name, string Offset, Func<Random, int, List<int>, FuzzRequest> Next, Func<string, UploadKey>? KeyOf, int[] Reached)
{
    public static readonly FuzzProtocol FileId = new("file-id", "X-Start-Byte", static (random, number, _) => FileIdFuzz.Next(random, number), null, [200, 204, 400, 405, 409, 413]);

    public static readonly FuzzProtocol Tus = new(
        "tus", "Upload-Offset", TusFuzz.Next, static id => UploadKeyFactory.FromTusId("anonymous", FuzzApp.Path, id), [200, 201, 204, 400, 404, 405, 409, 412, 413, 415, 460]);

    public static readonly FuzzProtocol Ietf = new(
        "ietf", "Upload-Offset", IetfFuzz.Next, static id => UploadKeyFactory.FromIetfId("anonymous", FuzzApp.Path, id), [200, 201, 204, 400, 404, 405, 409, 413, 415]);

    public bool IsNamedByServer => KeyOf is not null;

    public static FuzzProtocol Of(string name) => new[] { FileId, Tus, Ietf }.Single(protocol => protocol.Name == name);
}
