using ResumableUploads.Engine.Expiration;
using ResumableUploads.Hosting.Health;

namespace ResumableUploads.Hosting.Startup;

/// <summary>A store of an application, with its background work and its test.</summary>
/// <param name="Name">The name in metrics and health checks: the type of the store, and a number if the application has several of it.</param>
/// <param name="Sweeper">The sweeper.</param>
/// <param name="Prober">The test of the store.</param>
internal sealed record SweptStore(string Name, UploadSweeper Sweeper, StoreProber Prober);
