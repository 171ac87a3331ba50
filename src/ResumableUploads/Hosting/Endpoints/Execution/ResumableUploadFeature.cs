using ResumableUploads.Abstractions;
using ResumableUploads.Engine;

namespace ResumableUploads.Hosting.Endpoints.Execution;

/// <summary>The upload that an endpoint's request was put together from.</summary>
internal sealed class ResumableUploadFeature(IUploadStore store, UploadInfo info, EngineRecord record, IServiceProvider services)
    : ReceivedUpload(store, info, record, services), IResumableUploadFeature;
