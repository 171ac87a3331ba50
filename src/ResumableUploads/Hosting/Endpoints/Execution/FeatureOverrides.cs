using Microsoft.AspNetCore.Http.Features;

namespace ResumableUploads.Hosting.Endpoints.Execution;

/// <summary>Replaces features of a request temporarily.</summary>
internal sealed class FeatureOverrides(IFeatureCollection features)
{
    private readonly Stack<(Type Type, object? Original)> _originals = new();

    public void Set<T>(T? feature) where T : class => Set(typeof(T), feature);

    public void Set(Type type, object? feature)
    {
        _originals.Push((type, features[type]));
        features[type] = feature;
    }

    public void Restore()
    {
        while (_originals.TryPop(out (Type Type, object? Original) feature))
        {
            features[feature.Type] = feature.Original;
        }
    }
}
