using ResumableUploads.Client.Protocols;

namespace ResumableUploads.Client.Engine;

/// <summary>The result of a request: a response, or the reason why there is none.</summary>
internal sealed record SendResult(ServerResponse? Response, Exception? Interruption);
