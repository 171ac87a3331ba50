using ResumableUploads.Abstractions;
using ResumableUploads.Hosting.Ownership;

namespace ResumableUploads.FaultTests.Fuzz;

/// <summary>A protocol to fuzz.</summary>
/// <param name="Name">The name of the protocol.</param>
/// <param name="Offset">The header with the offset of a body.</param>
/// <param name="Next">Generates a request.</param>
/// <param name="KeyOf">Returns the key of an upload with a scope and a server-generated id, or null if clients generate ids.</param>
/// <param name="Reached">Status codes that must occur often, to prove that not all requests are rejected early.</param>
internal sealed record FuzzProtocol(
    string Name, string Offset, Func<Random, int, List<int>, FuzzRequest> Next, Func<string, string, UploadKey>? KeyOf, int[] Reached)
{
    public static readonly FuzzProtocol FileId = new("file-id", "X-Start-Byte", static (random, number, _) => FileIdFuzz.Next(random, number), null, [200, 204, 400, 405, 409, 413]);

    public static readonly FuzzProtocol Tus = new(
        "tus", "Upload-Offset", TusFuzz.Next, static (scope, id) => UploadKeyFactory.FromTusId("anonymous", scope, id), [200, 201, 204, 400, 404, 405, 409, 412, 413, 415, 460]);

    public static readonly FuzzProtocol Ietf = new(
        "ietf", "Upload-Offset", IetfFuzz.Next, static (scope, id) => UploadKeyFactory.FromIetfId("anonymous", scope, id), [200, 201, 204, 400, 404, 405, 409, 413, 415]);

    public bool IsNamedByServer => KeyOf is not null;

    public static FuzzProtocol Of(string name) => new[] { FileId, Tus, Ietf }.Single(protocol => protocol.Name == name);
}
