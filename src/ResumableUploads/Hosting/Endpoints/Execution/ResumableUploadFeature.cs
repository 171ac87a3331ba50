using ResumableUploads.Abstractions;
using ResumableUploads.Engine;

namespace ResumableUploads.Hosting.Endpoints.Execution;

/// <summary>The upload behind the request of an endpoint.</summary>
internal sealed class ResumableUploadFeature(IUploadStore store, UploadInfo info, EngineRecord record, IServiceProvider services)
    : ReceivedUpload(store, info, record, services), IResumableUploadFeature;
