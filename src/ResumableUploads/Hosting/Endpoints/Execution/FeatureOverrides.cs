using Microsoft.AspNetCore.Http.Features;

namespace ResumableUploads.Hosting.Endpoints.Execution;

/// <summary>Replaces features of a request temporarily.</summary>
internal sealed class FeatureOverrides(IFeatureCollection features)
{
    private readonly Stack<(Type Type, object? Original)> _originals = new();

    public void Set<T>(T? feature) where T : class
    {
        _originals.Push((typeof(T), features[typeof(T)]));
        features[typeof(T)] = feature;
    }

    public void Restore()
    {
        while (_originals.TryPop(out (Type Type, object? Original) feature))
        {
            features[feature.Type] = feature.Original;
        }
    }
}
